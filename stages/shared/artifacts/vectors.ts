/** The artifact `vectors`: features of a backbone or embeddings of a head. */
import { Field, FixedSizeList, Float16, Float32, Uint16, Uint32 } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { type Columns, createTable, numbers, readMetadata, readTable, type TableWriter } from "./arrow.ts";
import { widen } from "./half.ts";
import { readSets, setsColumn } from "./label-sets.ts";

/** Vectors with their ids and labels: features of a backbone or embeddings of a head. */
export interface Vectors {
  /** `[rows]` */
  ids: Uint32Array;
  /** `[rows]`, indices into `classes` */
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  /** `[rows, dim]`, row-major, float32, whether the file has float16 or float32 */
  values: Float32Array;
  rows: number;
  dim: number;
  classes: string[];
  metadata: Record<string, unknown>;
}

/** Opens a file for writing vectors batch by batch: columns `id`, `label`, `vector`, and `labels` beside `label`. */
export function createVectors(
  path: string,
  dim: number,
  precision: "float16" | "float32",
  metadata: Record<string, unknown>,
  several = false,
): TableWriter {
  const value = new Field("value", precision === "float16" ? new Float16() : new Float32(), false);
  const columns: Columns = {
    id: new Uint32(),
    label: new Uint16(),
    ...setsColumn(several, (metadata.classes as string[]).length),
    vector: new FixedSizeList(dim, value),
  };
  return createTable(path, "vectors", columns, metadata);
}

/** Rows that are written as one batch: who reads batch by batch holds no more. */
const WRITTEN = 4096;

/** Writes vectors that are in memory. @param vector `[rows, dim]`: float32, or the bits of float16 */
export function writeVectors(
  path: string,
  {
    ids,
    labels,
    sets,
    vector,
    dim,
  }: Pick<Vectors, "ids" | "labels" | "sets" | "dim"> & { vector: Float32Array | Uint16Array },
  metadata: Record<string, unknown>,
): void {
  const table = createVectors(
    path,
    dim,
    vector instanceof Uint16Array ? "float16" : "float32",
    metadata,
    sets !== undefined,
  );
  const bytes = sets ? sets.length / ids.length : 0;
  for (let from = 0; from < ids.length; from += WRITTEN) {
    const to = Math.min(ids.length, from + WRITTEN);
    table.write(to - from, {
      id: ids.subarray(from, to),
      label: labels.subarray(from, to),
      ...(sets && { labels: sets.subarray(from * bytes, to * bytes) }),
      vector: vector.subarray(from * dim, to * dim),
    });
  }
  table.close();
}

/** All bits of a float32's exponent, which no finite value has; and the lowest of them. */
const EXPONENT = 0x7f800000;
const LOWEST = 0x00800000;

/** Whether every value is finite. */
function allFinite(values: Float32Array): boolean {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let seen = 0;
  for (let i = 0; i < bits.length; i++) seen |= (bits[i] & EXPONENT) + LOWEST;
  return seen >= 0; // the highest bit is the sign
}

/**
 * Checks rows of a table.
 * @param rows `finite`: whether all values are
 * @throws UserError when a label is outside the classes, or a value is not finite
 */
export function checkRows(
  {
    ids,
    labels,
    values,
    dim,
    finite,
  }: Pick<Vectors, "ids" | "labels" | "values" | "dim"> & { finite: boolean },
  classes: number,
  path: string,
): void {
  for (let row = 0; row < labels.length; row++)
    if (labels[row] >= classes)
      throw new UserError(
        `${path}: image ${ids[row]} has label ${labels[row]}, but there are ${classes} classes (0 to ${classes - 1}).`,
      );
  const i = finite ? -1 : values.findIndex((value) => !Number.isFinite(value));
  if (i >= 0)
    throw new UserError(
      `${path}: image ${ids[Math.floor(i / dim)]} has ${values[i]} at position ${i % dim} of its vector. ` +
        "Every value must be finite: extract these features again.",
    );
}

/** A table of vectors with its values as they are stored, in several parts: float32, or the bits of float16. */
export interface StoredVectors extends Omit<Vectors, "values"> {
  parts: (Float32Array | Uint16Array)[];
}

/** Whether all values are finite, of float16 by their bits. */
function areFinite(values: Float32Array | Uint16Array): boolean {
  if (values instanceof Float32Array) return allFinite(values);
  let seen = 0;
  for (let i = 0; i < values.length; i++) seen |= (values[i] & 0x7c00) + 0x0400;
  return (seen & 0x8000) === 0;
}

/** Copies values as float32. */
function copyTo(part: Float32Array | Uint16Array, to: Float32Array<ArrayBuffer>): void {
  if (part instanceof Uint16Array) widen(part, to);
  else to.set(part);
}

/** Takes values of a column, float32 or the bits of float16. @returns whether all of them are finite */
export function takeValues(from: Float32Array | Uint16Array, to: Float32Array<ArrayBuffer>): boolean {
  copyTo(from, to);
  return areFinite(from);
}

/** The values of parts, one after the other, as float32. */
function joined(parts: StoredVectors["parts"]): Float32Array {
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    copyTo(part, values.subarray(at, at + part.length));
    at += part.length;
  }
  return values;
}

/**
 * Reads a table of vectors (artifact `vectors`), its values as they are stored.
 * @throws UserError when a value is not finite, a label is outside the classes, or as {@link readSets} does
 */
export function readStoredVectors(path: string): StoredVectors {
  const table = readTable(path, "vectors");
  const metadata = readMetadata(table);
  const ids = numbers<Uint32Array>(table, "id");
  const labels = numbers<Uint16Array>(table, "label");
  const column = table.getChild("vector")!;
  const dim = (column.type as FixedSizeList).listSize;
  const parts = column.data.map(
    ({ children: [{ values }], offset, length }) =>
      values.subarray(offset * dim, (offset + length) * dim) as Float32Array | Uint16Array,
  );
  const finite = parts.every(areFinite);
  const classes = metadata.classes as string[];
  const values = finite ? new Float32Array(0) : joined(parts); // only to name the one that is not
  checkRows({ ids, labels, values, dim, finite }, classes.length, path);
  const sets = readSets(table, { ids, labels, classes: classes.length }, path);
  return { ids, labels, ...(sets && { sets }), parts, rows: table.numRows, dim, classes, metadata };
}

/**
 * Reads a table of vectors (artifact `vectors`), features and embeddings alike.
 * @throws UserError as {@link readStoredVectors} does
 */
export function readVectors(path: string): Vectors {
  const { parts, ...about } = readStoredVectors(path);
  return { ...about, values: joined(parts) };
}

/**
 * Takes rows of stored vectors as float32.
 * @param again whether a row may be asked for more than once: it is then kept
 */
export function rowTaker({ parts, rows, dim }: StoredVectors, again: boolean) {
  const [part, place] = [new Uint32Array(rows), new Uint32Array(rows)];
  let row = 0;
  for (const [index, { length }] of parts.entries())
    for (let at = 0; at < length; at += dim, row++) {
      part[row] = index;
      place[row] = at;
    }
  const halves = parts.some((one) => one instanceof Uint16Array);
  const known = new Uint8Array(rows);
  // Its memory is taken where it is written alone.
  const kept = again && halves ? new Float32Array(rows * dim) : undefined;
  return (asked: ArrayLike<number>): Float32Array => {
    const out = new Float32Array(asked.length * dim);
    for (let i = 0; i < asked.length; i++) {
      const row = asked[i];
      const to = out.subarray(i * dim, (i + 1) * dim);
      const own = kept?.subarray(row * dim, (row + 1) * dim);
      if (own && known[row]) {
        to.set(own);
        continue;
      }
      copyTo(parts[part[row]].subarray(place[row], place[row] + dim), to);
      own?.set(to);
      known[row] = 1;
    }
    return out;
  };
}
