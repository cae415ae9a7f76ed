/** Splits: which images train, validate, query, and make up the database; and the guard against leaks. */
import { Bool, Uint16, Uint32 } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { flags, numbers, readMetadata, readTable, writeTable } from "./arrow.ts";
import { readSets, setsColumn } from "./label-sets.ts";

/** Zeros and ones `[images]` for each role; an image may have several. */
export interface Roles {
  train: Uint8Array;
  validation: Uint8Array;
  query: Uint8Array;
  database: Uint8Array;
}

export interface Split extends Roles {
  ids: Uint32Array;
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  protocol: string;
  seed: number;
}

/** Whether, under a protocol, the queries search each other: each is then left out of its own database. */
export const retrievesItself = (protocol: string): boolean => protocol === "self";

/**
 * Checks what every protocol promises: no image trains or is in the database and queries, or trains and
 * validates; and every role has images. Only where the queries search each other, the database holds them.
 * @param protocol by name
 * @throws UserError naming the first image that is in two places
 */
export function checkRoles(ids: Uint32Array, roles: Roles, where: string, protocol = ""): void {
  const apart: [keyof Roles, keyof Roles][] = [
    ["train", "validation"],
    ["train", "query"],
    ["validation", "query"],
    ...(retrievesItself(protocol) ? [] : ([["database", "query"]] as [keyof Roles, keyof Roles][])),
  ];
  for (const [a, b] of apart)
    for (let row = 0; row < ids.length; row++)
      if (roles[a][row] && roles[b][row])
        throw new UserError(`${where}: image ${ids[row]} is in "${a}" and in "${b}". They must be apart.`);
  for (const role of ["train", "validation", "query", "database"] as const)
    if (!roles[role].includes(1)) throw new UserError(`${where}: no image is in "${role}".`);
}

/**
 * Writes a split, after {@link checkRoles}; an id may occur only once.
 * @param metadata with `classes`, where images may have several labels
 */
export function writeSplit(
  path: string,
  split: Split,
  metadata: { classes?: string[]; [name: string]: unknown } = {},
): void {
  const seen = new Set<number>();
  for (const id of split.ids) {
    if (seen.has(id)) throw new UserError(`${path}: the id ${id} occurs twice. Every image needs its own.`);
    seen.add(id);
  }
  checkRoles(split.ids, split, path, split.protocol);
  const { ids: id, labels: label, sets, train, validation, query, database, protocol, seed } = split;
  const flag = new Bool();
  writeTable(
    path,
    "split",
    {
      id: new Uint32(),
      label: new Uint16(),
      ...setsColumn(sets !== undefined, metadata.classes?.length ?? 0),
      train: flag,
      validation: flag,
      query: flag,
      database: flag,
    },
    id.length,
    { id, label, ...(sets && { labels: sets }), train, validation, query, database },
    { protocol, seed, ...metadata },
  );
}

/** Reads a split and checks it as {@link checkRoles} does. */
export function readSplit(path: string): Split {
  const table = readTable(path, "split");
  const {
    protocol,
    seed,
    classes = [],
  } = readMetadata(table) as Pick<Split, "protocol" | "seed"> & {
    classes?: string[];
  };
  const ids = numbers<Uint32Array>(table, "id");
  const labels = numbers<Uint16Array>(table, "label");
  const sets = readSets(table, { ids, labels, classes: classes.length }, path);
  const split: Split = {
    ids,
    labels,
    ...(sets && { sets }),
    train: flags(table, "train"),
    validation: flags(table, "validation"),
    query: flags(table, "query"),
    database: flags(table, "database"),
    protocol,
    seed,
  };
  checkRoles(split.ids, split, path, split.protocol);
  return split;
}

/**
 * The rows of a table of images that have a role.
 * @param ids of the table, in its order
 * @throws UserError when an image of the role is not in the table
 */
export function rowsOf(split: Split, role: keyof Roles, ids: Uint32Array, where: string): Uint32Array {
  const rowOf = new Map<number, number>();
  for (let row = 0; row < ids.length; row++) rowOf.set(ids[row], row);
  const rows: number[] = [];
  for (let i = 0; i < split.ids.length; i++) {
    if (!split[role][i]) continue;
    const row = rowOf.get(split.ids[i]);
    if (row === undefined)
      throw new UserError(
        `${where}: image ${split.ids[i]} of the split's "${role}" is not there. Do both come from the same data set?`,
      );
    rows.push(row);
  }
  return Uint32Array.from(rows);
}
