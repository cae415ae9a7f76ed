/**
 * Arrow in and out. Every table that travels between stages is written and opened here, and its columns
 * are checked against `schemas/ARTIFACT.artifact.schema.json` on both ways.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import {
  Bool,
  type DataType,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
  type Table,
  tableFromIPC,
  Utf8,
} from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { checkTableSchema } from "./schema.ts";

/** A column's name and Arrow type. */
export type Columns = Record<string, DataType>;

/**
 * Values of one batch: a typed array for each column, row-major for FixedSizeList and FixedSizeBinary; an
 * array of strings for Utf8, a Uint8Array of zeros and ones for Bool.
 */
export type Batch = Record<string, ArrayBufferView | string[]>;

/** Writes a table batch by batch, so that memory stays flat at any number of rows. */
export interface TableWriter {
  /** Appends rows. Every column's buffer must hold exactly `rows` values. */
  write(rows: number, batch: Batch): void;
  /** Writes the footer and closes the file. */
  close(): void;
}

/** Arrow keeps truth values as bits, the first one lowest. */
function packBits(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(flags.length / 8));
  for (let i = 0; i < flags.length; i++) if (flags[i]) bits[i >> 3] |= 1 << (i & 7);
  return bits;
}

function columnData(type: DataType, rows: number, values: ArrayBufferView | string[]) {
  if (type instanceof Utf8) {
    const encoded = (values as string[]).map((text) => Buffer.from(text));
    const valueOffsets = new Int32Array(rows + 1);
    for (let row = 0; row < rows; row++) valueOffsets[row + 1] = valueOffsets[row] + encoded[row].length;
    return makeData({
      type,
      length: rows,
      nullCount: 0,
      valueOffsets,
      data: new Uint8Array(Buffer.concat(encoded)),
    });
  }
  if (type instanceof Bool)
    return makeData({ type, length: rows, nullCount: 0, data: packBits(values as Uint8Array) });
  if (type instanceof FixedSizeList) {
    const child = makeData({
      type: type.children[0].type,
      length: rows * type.listSize,
      data: values as never,
    });
    return makeData({ type, length: rows, nullCount: 0, child });
  }
  return makeData({ type: type as never, length: rows, nullCount: 0, data: values as never });
}

/**
 * Opens `path` for writing a table of `artifact`.
 * @param metadata kept in the file's schema, as strings; objects are written as JSON
 * @throws when the columns do not fit the artifact's schema
 */
export function createTable(
  path: string,
  artifact: string,
  columns: Columns,
  metadata: Record<string, unknown> = {},
): TableWriter {
  const entries = Object.entries(metadata).map(
    ([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const,
  );
  const fields = Object.entries(columns).map(([name, type]) => new Field(name, type, false));
  const schema = new Schema(fields, new Map(entries));
  checkTableSchema(schema, artifact, path);
  const file = openSync(path, "w");
  const writer = new RecordBatchFileWriter();
  writer.reset(undefined, schema);
  const drain = () => {
    for (const chunk of (writer as unknown as { _sink: { _values: Uint8Array[] } })._sink._values.splice(0))
      for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done);
  };
  return {
    write(rows, batch) {
      const children = fields.map((field) => columnData(field.type, rows, batch[field.name]));
      const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
      writer.write(new RecordBatch(schema, data));
      drain();
    },
    close() {
      writer.finish();
      drain();
      closeSync(file);
    },
  };
}

/** Writes a whole table at once. */
export function writeTable(
  path: string,
  artifact: string,
  columns: Columns,
  rows: number,
  batch: Batch,
  metadata: Record<string, unknown> = {},
): void {
  const writer = createTable(path, artifact, columns, metadata);
  if (rows > 0) writer.write(rows, batch);
  writer.close();
}

/** What an Arrow file begins and ends with. */
const MAGIC = "ARROW1";

/** @throws UserError when the file is no Arrow file or its end is missing */
function checkWhole(path: string): void {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const ends = [0, Math.max(0, size - MAGIC.length)].map((position) => {
      const buffer = Buffer.alloc(MAGIC.length);
      readSync(file, buffer, { position });
      return buffer.toString("latin1");
    });
    if (ends[0] !== MAGIC) throw new UserError(`${path}: no Arrow file. Is it the right one?`);
    if (ends[1] !== MAGIC || size < 4 * MAGIC.length)
      throw new UserError(`${path}: broken off: an Arrow file ends with ${MAGIC}. Make it again.`);
  } finally {
    closeSync(file);
  }
}

/**
 * Opens a table and checks its columns against the artifact's schema.
 * @throws UserError when the file is no Arrow file, is broken off, or has other columns
 */
export function readTable(path: string, artifact: string): Table {
  checkWhole(path);
  let table: Table;
  try {
    table = tableFromIPC(readFileSync(path));
  } catch (error) {
    throw new UserError(`${path}: not a whole Arrow file (${(error as Error).message}). Make it again.`);
  }
  checkTableSchema(table.schema, artifact, path);
  return table;
}

/**
 * A table's record batches, one after the other, for tables that may be larger than the memory.
 * @throws UserError as {@link readTable} does
 */
export async function* readBatches(path: string, artifact: string): AsyncGenerator<RecordBatch> {
  checkWhole(path);
  const reader = await RecordBatchReader.from(await open(path));
  try {
    await reader.open();
    checkTableSchema(reader.schema, artifact, path);
    yield* reader as AsyncIterable<RecordBatch>;
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    throw new UserError(`${path}: not a whole Arrow file (${error.message}). Make it again.`);
  } finally {
    await reader.cancel();
  }
}

/** The metadata of a table's schema, parsed where it is JSON. */
export function readMetadata({ schema }: { schema: Schema }): Record<string, unknown> {
  const metadata: Record<string, unknown> = {};
  for (const [name, text] of schema.metadata) {
    try {
      metadata[name] = JSON.parse(text);
    } catch {
      metadata[name] = text;
    }
  }
  return metadata;
}

/** All values of a column of numbers, in one typed array. */
export function numbers<T extends ArrayBufferView = Uint32Array>(table: Table, column: string): T {
  return table.getChild(column)!.toArray() as T;
}

/** All values of a column of truth values, as zeros and ones. */
export function flags(table: Table, column: string): Uint8Array {
  return Uint8Array.from(table.getChild(column)!, (value) => (value ? 1 : 0));
}

/** All values of a column of text. */
export function texts(table: Table, column: string): string[] {
  return Array.from(table.getChild(column)!, String);
}

/** Vectors with their ids and labels: features of a backbone or embeddings of a head. */
export interface Vectors {
  /** `[rows]` */
  ids: Uint32Array;
  /** `[rows]`, indices into `classes` */
  labels: Uint16Array;
  /** `[rows, dim]`, row-major, float32 whatever the file holds */
  values: Float32Array;
  rows: number;
  dim: number;
  classes: string[];
  metadata: Record<string, unknown>;
}

/** Every float16 as float32, by its bits. */
let halfTable: Float32Array | undefined;

/** Widens float16 values (given by their bits) to float32, exactly. */
export function widen(halves: Uint16Array, out = new Float32Array(halves.length)): Float32Array {
  if (!halfTable) {
    halfTable = new Float32Array(65_536);
    for (let bits = 0; bits < 65_536; bits++) {
      const exponent = (bits >> 10) & 31;
      const mantissa = bits & 1023;
      const size =
        exponent === 31
          ? mantissa === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : exponent === 0
            ? mantissa * 2 ** -24
            : (1 + mantissa / 1024) * 2 ** (exponent - 15);
      halfTable[bits] = bits & 0x8000 ? -size : size;
    }
  }
  for (let i = 0; i < halves.length; i++) out[i] = halfTable[halves[i]];
  return out;
}

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** Rounds float32 values to float16 bits, to nearest, ties to even. */
export function narrow(values: Float32Array, out = new Uint16Array(values.length)): Uint16Array {
  for (let i = 0; i < values.length; i++) {
    floatView[0] = values[i];
    const bits = bitsView[0];
    const sign = (bits >>> 16) & 0x8000;
    const size = bits & 0x7fffffff;
    if (size >= 0x47800000) {
      out[i] = sign | (size > 0x7f800000 ? 0x7e00 : 0x7c00); // NaN, or beyond the largest half
    } else if (size >= 0x38800000) {
      const rounded = size + 0xfff + ((size >>> 13) & 1);
      out[i] = sign | ((rounded - 0x38000000) >>> 13);
    } else {
      // Subnormal halves are multiples of 2^-24: adding 0.5 lets the float unit round to one of them.
      floatView[0] = Math.abs(values[i]) + 0.5;
      out[i] = sign | (bitsView[0] - 0x3f000000);
    }
  }
  return out;
}

/** Columns of a table of vectors. */
export function vectorColumns(
  dim: number,
  precision: "float16" | "float32",
  label: DataType,
  id: DataType,
): Columns {
  const value = new Field("value", precision === "float16" ? new Float16() : new Float32(), false);
  return { id, label, vector: new FixedSizeList(dim, value) };
}

/** Columns' type for `bytes` raw bytes a row. */
export function bytesColumn(bytes: number): DataType {
  return new FixedSizeBinary(bytes);
}

/**
 * Reads a table of vectors (artifact `vectors`), features and embeddings alike.
 * @throws UserError when a value is not finite or a label is outside the classes
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
  for (const data of column.data) {
    const child = data.children[0];
    const part = child.values.subarray(data.offset * dim, (data.offset + data.length) * dim);
    if (part instanceof Uint16Array) widen(part, values.subarray(at, at + part.length));
    else values.set(part as Float32Array, at);
    at += part.length;
  }
  const classes = metadata.classes as string[];
  for (let row = 0; row < rows; row++)
    if (labels[row] >= classes.length)
      throw new UserError(
        `${path}: image ${ids[row]} has label ${labels[row]}, but there are ${classes.length} classes (0 to ${classes.length - 1}).`,
      );
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw new UserError(
        `${path}: image ${ids[Math.floor(i / dim)]} has ${values[i]} at position ${i % dim} of its vector. ` +
          "Every value must be finite: extract these features again.",
      );
  return { ids, labels, values, rows, dim, classes, metadata };
}
