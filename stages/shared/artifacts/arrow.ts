/**
 * Arrow files. The files of artifacts/ write and read every table of a stage with these functions, which validate its
 * columns against `schemas/ARTIFACT.artifact.schema.json` both times.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import {
  Bool,
  type DataType,
  Field,
  FixedSizeBinary,
  FixedSizeList,
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

/** Arrow stores booleans as bits, the first one lowest. */
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

/** The first and last bytes of an Arrow file. */
const MAGIC = "ARROW1";

/** @throws UserError when the file is not an Arrow file or its end is missing */
function checkWhole(path: string): void {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const ends = [0, Math.max(0, size - MAGIC.length)].map((position) => {
      const buffer = Buffer.alloc(MAGIC.length);
      readSync(file, buffer, { position });
      return buffer.toString("latin1");
    });
    if (ends[0] !== MAGIC) throw new UserError(`${path}: not an Arrow file. Is it the right one?`);
    if (ends[1] !== MAGIC || size < 4 * MAGIC.length)
      throw new UserError(`${path}: truncated: an Arrow file ends with ${MAGIC}. Create it again.`);
  } finally {
    closeSync(file);
  }
}

/**
 * Opens a table and checks its columns against the artifact's schema.
 * @throws UserError when the file is not an Arrow file, is truncated, or has other columns
 */
export function readTable(path: string, artifact: string): Table {
  checkWhole(path);
  let table: Table;
  try {
    table = tableFromIPC(readFileSync(path));
  } catch (error) {
    throw new UserError(`${path}: a corrupt Arrow file (${(error as Error).message}). Create it again.`);
  }
  checkTableSchema(table.schema, artifact, path);
  return table;
}

/** A table that is read batch by batch. */
export interface OpenTable {
  schema: Schema;
  /** Its record batches, in order; once. */
  batches: AsyncGenerator<RecordBatch>;
  close(): Promise<void>;
}

/**
 * Opens a table for reading it batch by batch, where it may be larger than the memory. Close it.
 * @throws UserError as {@link readTable} does, also while its batches are read
 */
export async function openTable(path: string, artifact: string): Promise<OpenTable> {
  checkWhole(path);
  const reader = await RecordBatchReader.from(await open(path));
  const named = (error: unknown): unknown =>
    error instanceof UserError || !(error instanceof Error)
      ? error
      : new UserError(`${path}: a corrupt Arrow file (${error.message}). Create it again.`);
  const close = () => reader.cancel();
  async function* batches(): AsyncGenerator<RecordBatch> {
    try {
      yield* reader as AsyncIterable<RecordBatch>;
    } catch (error) {
      throw named(error);
    }
  }
  try {
    await reader.open();
    checkTableSchema(reader.schema, artifact, path);
  } catch (error) {
    await close();
    throw named(error);
  }
  return { schema: reader.schema, batches: batches(), close };
}

/**
 * A table's record batches, one after the other, for tables that may be larger than the memory.
 * @throws UserError as {@link readTable} does
 */
export async function* readBatches(path: string, artifact: string): AsyncGenerator<RecordBatch> {
  const { batches, close } = await openTable(path, artifact);
  try {
    yield* batches;
  } finally {
    await close();
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

/** All values of a column of booleans, as zeros and ones. */
export function flags(table: Table, column: string): Uint8Array {
  return Uint8Array.from(table.getChild(column)!, (value) => (value ? 1 : 0));
}

/** All values of a column of text. */
export function texts(table: Table, column: string): string[] {
  return Array.from(table.getChild(column)!, String);
}

/** The type of a column with `bytes` raw bytes per row. */
export function bytesColumn(bytes: number): DataType {
  return new FixedSizeBinary(bytes);
}
