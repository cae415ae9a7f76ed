/** Single images of a table of images, which may be larger than the memory: each is read from its place in the file. */
import { type FileHandle, open } from "node:fs/promises";
import { type Field, type FixedSizeBinary, Message, RecordBatchReader, Utf8 } from "apache-arrow";
import { UserError } from "../runner/stage.ts";
import { readMetadata } from "../stages/shared/artifacts/arrow.ts";
import type { Shape } from "../stages/shared/download/decode.ts";

/** Bytes before a message in a file: a mark of 4 bytes, and its length. */
const PREFIX = 8;

/** Pixels of one batch of the table. */
interface Part {
  first: number;
  rows: number;
  /** Place of the pixels of the first row in the file. */
  at: number;
}

/** The places of the batches in a file, as apache-arrow reads them. */
interface Footer {
  recordBatches(): Iterable<{ offset: bigint | number; metaDataLength: number }>;
}

/** The number of the buffer of a batch that holds the values of a column: each has one for nulls, and those of texts one for their ends. */
const valuesOf = (fields: Field[], column: number): number =>
  fields.slice(0, column).reduce((sum, { type }) => sum + (type instanceof Utf8 ? 3 : 2), 1);

export class PixelTable {
  readonly shape: Shape;
  private readonly file: FileHandle;
  private readonly parts: Part[];
  private readonly bytes: number;

  private constructor(file: FileHandle, shape: Shape, parts: Part[]) {
    this.file = file;
    this.shape = shape;
    this.parts = parts;
    this.bytes = shape.height * shape.width * shape.channels;
  }

  /** @throws UserError when the file is no table of images */
  static async open(path: string): Promise<PixelTable> {
    const file = await open(path);
    try {
      const reader = await RecordBatchReader.from(file);
      await reader.open({ autoDestroy: false });
      const { schema } = reader;
      const column = schema.fields.findIndex(({ name }) => name === "pixels");
      if (column < 0) throw new Error("no pixels");
      const shape = readMetadata({ schema }) as unknown as Shape;
      const { byteWidth } = schema.fields[column].type as FixedSizeBinary;
      if (byteWidth !== shape.height * shape.width * shape.channels)
        throw new Error("pixels of another size");
      const { _footer } = (reader as unknown as { _impl: { _footer: Footer } })._impl;
      const place = valuesOf(schema.fields, column);
      const parts: Part[] = [];
      let first = 0;
      for (const { offset, metaDataLength } of _footer.recordBatches()) {
        const head = Buffer.alloc(metaDataLength);
        await file.read(head, 0, metaDataLength, Number(offset));
        const batch = Message.decode(head.subarray(PREFIX)).header() as {
          length: number;
          buffers: { offset: number }[];
        };
        parts.push({
          first,
          rows: Number(batch.length),
          at: Number(offset) + metaDataLength + Number(batch.buffers[place].offset),
        });
        first += Number(batch.length);
      }
      return new PixelTable(file, shape, parts);
    } catch (error) {
      await file.close();
      throw new UserError(
        `${path}: a corrupt Arrow file (${(error as Error).message}). Make the index again.`,
      );
    }
  }

  /** The pixels of a row, `[height, width, channels]`; undefined where there is none. */
  async at(row: number): Promise<Uint8Array | undefined> {
    const part = this.parts.findLast(({ first }) => first <= row);
    if (!part || row >= part.first + part.rows) return undefined;
    const pixels = new Uint8Array(this.bytes);
    await this.file.read(pixels, 0, this.bytes, part.at + (row - part.first) * this.bytes);
    return pixels;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
