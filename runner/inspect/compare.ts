/** How far two files are from each other: the same bytes, or by how much the numbers of an Arrow table differ. */
import { readFileSync } from "node:fs";
import type { DataType, Table, Vector } from "apache-arrow";

const MAGIC = "ARROW1";

/** Floats as whole numbers in the same order: neighbouring floats differ by one. */
function ranks(values: Uint16Array | Float32Array | Float64Array): Int32Array | Float64Array | BigInt64Array {
  const { buffer, byteOffset, length } = values;
  if (values instanceof Float64Array) {
    const bits = new BigInt64Array(buffer, byteOffset, length);
    return bits.map((one) => (one < 0n ? -(one & 0x7fffffffffffffffn) : one));
  }
  if (values instanceof Float32Array)
    return Float64Array.from(new Int32Array(buffer, byteOffset, length), (one) =>
      one < 0 ? -(one & 0x7fffffff) : one,
    );
  return Int32Array.from(values, (one) => (one & 0x8000 ? -(one & 0x7fff) : one));
}

const isNaNOf = (values: Uint16Array | Float32Array | Float64Array, at: number): boolean =>
  values instanceof Uint16Array ? (values[at] & 0x7fff) > 0x7c00 : Number.isNaN(values[at]);

/**
 * Floats in units in the last place.
 * @param width values in a row
 * @returns how many rows differ, and the largest distance; infinite between a number and NaN
 */
export function ulps(
  before: Uint16Array | Float32Array | Float64Array,
  after: Uint16Array | Float32Array | Float64Array,
  width = 1,
): { rows: number; largest: number } {
  const [a, b] = [ranks(before), ranks(after)];
  let largest = 0;
  let rows = 0;
  let last = -1;
  for (let at = 0; at < a.length; at++) {
    const nan = isNaNOf(before, at);
    if (nan && isNaNOf(after, at)) continue;
    const distance =
      nan !== isNaNOf(after, at)
        ? Number.POSITIVE_INFINITY
        : a instanceof BigInt64Array
          ? Math.abs(Number(a[at] - (b as BigInt64Array)[at]))
          : Math.abs(a[at] - (b as Float64Array)[at]);
    if (distance === 0) continue;
    largest = Math.max(largest, distance);
    const row = Math.floor(at / width);
    if (row !== last) rows++;
    last = row;
  }
  return { rows, largest };
}

/** The floats of a column, and how many are in a row; undefined for a column of anything else. */
function floats(
  column: Vector,
  isFloat: (type: DataType) => boolean,
  isList: (type: DataType) => boolean,
): { values: Uint16Array | Float32Array | Float64Array; width: number } | undefined {
  const inner = isList(column.type) ? column.getChildAt(0) : column;
  if (!inner || !isFloat(inner.type) || column.nullCount || inner.nullCount) return undefined;
  const values: Float32Array = new inner.ArrayType(inner.length);
  let at = 0;
  for (const { values: chunk, length } of inner.data) {
    values.set(chunk.subarray(0, length), at);
    at += length;
  }
  return { values, width: inner.length / Math.max(1, column.length) };
}

/** The differences between two Arrow tables, one line a column. */
async function tables(before: Uint8Array, after: Uint8Array): Promise<string[]> {
  const { DataType, tableFromIPC } = await import("apache-arrow");
  const [a, b]: Table[] = [tableFromIPC(before), tableFromIPC(after)];
  const shape = ({ schema, numRows }: Table) =>
    `${numRows} rows of ${schema.fields.map(({ name, type }) => `${name}: ${type}`).join(", ")}`;
  if (shape(a) !== shape(b)) return [`${shape(b)}, before ${shape(a)}`];
  const lines: string[] = [];
  for (const key of new Set([...a.schema.metadata.keys(), ...b.schema.metadata.keys()]))
    if (a.schema.metadata.get(key) !== b.schema.metadata.get(key)) lines.push(`metadata "${key}" differs`);
  for (const { name } of a.schema.fields) {
    const [x, y] = [a.getChild(name)!, b.getChild(name)!];
    const [p, q] = [x, y].map((one) =>
      floats(one, DataType.isFloat, (type) => DataType.isFixedSizeList(type)),
    );
    if (p && q) {
      const { rows, largest } = ulps(p.values, q.values, p.width);
      if (rows) lines.push(`${name} differs in ${rows} of ${a.numRows} rows, by at most ${largest} ULPs`);
      continue;
    }
    let rows = 0;
    for (let row = 0; row < a.numRows; row++) if (String(x.get(row)) !== String(y.get(row))) rows++;
    if (rows) lines.push(`${name} differs in ${rows} of ${a.numRows} rows`);
  }
  return lines.length ? lines : ["the same values, written otherwise"];
}

/** The differences between two files, in words; none when they have the same bytes. */
export async function compareFiles(before: string, after: string): Promise<string[]> {
  const [a, b] = [readFileSync(before), readFileSync(after)];
  if (a.equals(b)) return [];
  if ([a, b].every((content) => content.toString("latin1", 0, MAGIC.length) === MAGIC))
    try {
      return await tables(a, b);
    } catch {} // one of them is no whole table
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const sizes = a.length === b.length ? `${a.length} bytes` : `${b.length} bytes, before ${a.length}`;
  return [`bytes differ at ${at} (${sizes})`];
}
