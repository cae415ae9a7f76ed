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

/** Values that are taken at once: they are in the fastest cache when they are checked. */
const TOGETHER = 4096;

/** Takes values of a column, float32 or the bits of float16. @returns whether all of them are finite */
export function takeValues(from: Float32Array | Uint16Array, to: Float32Array<ArrayBuffer>): boolean {
  let finite = true;
  for (let start = 0; start < from.length; start += TOGETHER) {
    const some = to.subarray(start, Math.min(from.length, start + TOGETHER));
    const own = from.subarray(start, start + some.length);
    if (own instanceof Uint16Array) widen(own, some);
    else some.set(own);
    finite = allFinite(some) && finite;
  }
  return finite;
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

/**
 * Reads a table of vectors (artifact `vectors`), features and embeddings alike.
 * @throws UserError when a value is not finite, a label is outside the classes, or as {@link readSets} does
 */
export function readVectors(path: string): Vectors {
  const table = readTable(path, "vectors");
  const metadata = readMetadata(table);
  const ids = numbers<Uint32Array>(table, "id");
  const labels = numbers<Uint16Array>(table, "label");
  const column = table.getChild("vector")!;
  const dim = (column.type as FixedSizeList).listSize;
  const rows = table.numRows;
  const values = new Float32Array(rows * dim);
  let at = 0;
  let finite = true;
  for (const data of column.data) {
    const child = data.children[0];
    const part = child.values.subarray(data.offset * dim, (data.offset + data.length) * dim);
    finite = takeValues(part as Float32Array | Uint16Array, values.subarray(at, at + part.length)) && finite;
    at += part.length;
  }
  const classes = metadata.classes as string[];
  checkRows({ ids, labels, values, dim, finite }, classes.length, path);
  const sets = readSets(table, { ids, labels, classes: classes.length }, path);
  return { ids, labels, ...(sets && { sets }), values, rows, dim, classes, metadata };
}
