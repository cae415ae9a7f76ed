/** Binary codes: real values to bits, bits to bytes, and the Arrow table that holds them. */
import { type FixedSizeBinary, Uint16, Uint32 } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { bytesColumn, numbers, readMetadata, readTable, writeTable } from "./arrow.ts";
import { readSets, setsColumn } from "./label-sets.ts";

/** The longest code. */
export const MOST_BITS = 512;

/** Codes with their ids and labels. */
export interface Codes {
  /** `[rows]` */
  ids: Uint32Array;
  /** `[rows]`, indices into `classes` */
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  /** `[rows, bytesOf(bits)]`, row-major; see {@link packSigns} */
  values: Uint8Array;
  rows: number;
  /** Length of a code, 1 to {@link MOST_BITS}. */
  bits: number;
  classes: string[];
  metadata: Record<string, unknown>;
}

/** Bytes of one code. */
export const bytesOf = (bits: number): number => Math.ceil(bits / 8);

/**
 * The signs of real values as bits: 1 where a value is above 0, else 0 (so the bit of sign(0) is 0). Bit j is bit
 * j mod 8, the lowest first, of byte ⌊j / 8⌋; the bits that fill up the last byte are 0.
 * @param values `[rows, bits]`, row-major
 * @returns `[rows, bytesOf(bits)]`
 */
export function packSigns(values: Float32Array, bits: number): Uint8Array {
  const rows = values.length / bits;
  const bytes = bytesOf(bits);
  const packed = new Uint8Array(rows * bytes);
  for (let row = 0, at = 0; row < rows; row++)
    for (let bit = 0; bit < bits; bit++, at++)
      if (values[at] > 0) packed[row * bytes + (bit >> 3)] |= 1 << (bit & 7);
  return packed;
}

/** Writes a table of codes (artifact `codes`). @param metadata beside `bits` and `classes`: what made them */
export function writeCodes(path: string, codes: Omit<Codes, "metadata">, metadata: object = {}): void {
  const { ids: id, labels: label, sets, values: code, rows, bits, classes } = codes;
  writeTable(
    path,
    "codes",
    {
      id: new Uint32(),
      label: new Uint16(),
      ...setsColumn(sets !== undefined, classes.length),
      code: bytesColumn(bytesOf(bits)),
    },
    rows,
    { id, label, ...(sets && { labels: sets }), code },
    { ...metadata, bits, classes },
  );
}

/**
 * Reads a table of codes.
 * @throws UserError when the bytes do not fit the bits, bits beyond the code are set, a label is no class, or as
 *   {@link readSets} does
 */
export function readCodes(path: string): Codes {
  const table = readTable(path, "codes");
  const metadata = readMetadata(table);
  const { bits, classes } = metadata as { bits: number; classes: string[] };
  const column = table.getChild("code")!;
  const bytes = (column.type as FixedSizeBinary).byteWidth;
  if (bytes !== bytesOf(bits))
    throw new UserError(
      `${path}: a code of ${bits} bits takes ${bytesOf(bits)} bytes, but a row has ${bytes}. Encode again.`,
    );
  const rows = table.numRows;
  const values = new Uint8Array(rows * bytes);
  let at = 0;
  for (const { values: part, offset, length } of column.data) {
    values.set((part as Uint8Array).subarray(offset * bytes, (offset + length) * bytes), at);
    at += length * bytes;
  }
  const ids = numbers<Uint32Array>(table, "id");
  const labels = numbers<Uint16Array>(table, "label");
  const beyond = bits % 8 === 0 ? 0 : (0xff << (bits % 8)) & 0xff;
  for (let row = 0; row < rows; row++) {
    if (labels[row] >= classes.length)
      throw new UserError(
        `${path}: image ${ids[row]} has label ${labels[row]}, but there are ${classes.length} classes (0 to ${classes.length - 1}).`,
      );
    if (values[(row + 1) * bytes - 1] & beyond)
      throw new UserError(
        `${path}: the code of image ${ids[row]} has bits beyond its ${bits}. Every one must be 0: encode again.`,
      );
  }
  const sets = readSets(table, { ids, labels, classes: classes.length }, path);
  return { ids, labels, ...(sets && { sets }), values, rows, bits, classes, metadata };
}
