/** The rows of an index of files: written, and read to be taken over. */
import { constants } from "node:buffer";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Float64, Uint16 } from "apache-arrow";
import { UserError } from "../../runner/stage.ts";
import { bytesColumn, numbers, readTable, writeTable } from "../../stages/shared/artifacts/arrow.ts";
import { bytesOf, packSigns, writeCodes } from "../../stages/shared/artifacts/codes.ts";
import { directions, writeOutputs } from "../../stages/shared/artifacts/outputs.ts";
import { CONTENT_BYTES, FILES } from "../../stages/shared/search-index.ts";
import { shown } from "../../stages/shared/text.ts";
import type { Index } from "../opened.ts";
import type { Photo } from "./roots.ts";
import type { Stamp } from "./stamp.ts";

export const HASH_BYTES = 32;
/** Labels are 16 bits. */
const MOST_CLASSES = 65_536;

/** The values of the images of an index of files, in arrays with room for a number of images. */
interface Columns {
  photos: Photo[];
  /** `[room]` each, see {@link Stamp} */
  bytes: Float64Array;
  modified: Float64Array;
  /** `[room, HASH_BYTES]` */
  sha256: Uint8Array;
  /** `[room, CONTENT_BYTES]` */
  contents: Uint8Array;
  /** `[room, bytesOf(bits)]` */
  codes: Uint8Array;
  /** `[room, bits]` float16, see {@link directions} */
  outputs: Uint16Array;
}

/** Images of an index of files, column by column: objects for a million of them would take gigabytes. */
export class Rows {
  readonly bits: number;
  readonly columns: Columns;
  /** Images that have their codes. */
  private encoded: number;

  private constructor(bits: number, columns: Columns) {
    this.bits = bits;
    this.columns = columns;
    this.encoded = columns.photos.length;
  }

  /** Rows to be filled. @param room for so many images */
  static empty(bits: number, room: number): Rows {
    return new Rows(bits, {
      photos: [],
      bytes: new Float64Array(room),
      modified: new Float64Array(room),
      sha256: new Uint8Array(room * HASH_BYTES),
      contents: new Uint8Array(room * CONTENT_BYTES),
      codes: new Uint8Array(room * bytesOf(bits)),
      outputs: new Uint16Array(room * bits),
    });
  }

  /** The rows of an index of files. @throws UserError when their record does not fit the codes */
  static async of({ codes, outputs, contents, names, roots, files }: Index): Promise<Rows> {
    const table = readTable(await files.path(FILES.photos), "index-photos");
    const classOf = (row: number) => codes.classes[codes.labels[row]];
    const hashes = table.getChild("sha256")!.data.map(({ values, offset, length }) => {
      return (values as Uint8Array).subarray(offset * HASH_BYTES, (offset + length) * HASH_BYTES);
    });
    return new Rows(codes.bits, {
      photos: Array.from(names!, (name, row) => ({ root: roots![row], name, class: classOf(row) })),
      bytes: numbers<Float64Array>(table, "bytes"),
      modified: numbers<Float64Array>(table, "modified"),
      sha256: hashes.length === 1 ? hashes[0] : new Uint8Array(Buffer.concat(hashes)),
      contents,
      codes: codes.values,
      outputs,
    });
  }

  get length(): number {
    return this.columns.photos.length;
  }

  /** Adds an image, whose code {@link encode} gives. */
  add(photo: Photo, stamp: Stamp, content: Uint8Array): void {
    this.columns.contents.set(content, this.length * CONTENT_BYTES);
    this.columns.photos.push(photo);
    this.stamp(this.length - 1, stamp);
  }

  private stamp(row: number, { bytes, modified, sha256 }: Stamp): void {
    this.columns.bytes[row] = bytes;
    this.columns.modified[row] = modified;
    this.columns.sha256.set(Buffer.from(sha256, "hex"), row * HASH_BYTES);
  }

  /** Gives the next images their codes. @param values `[images, bits]` @throws UserError when one is not finite */
  encode(values: Float32Array): void {
    const { bits, encoded } = this;
    const { photos, codes, outputs } = this.columns;
    const where = `index, from ${shown(photos[encoded].name)} on`;
    outputs.set(directions(values, bits, where), encoded * bits);
    codes.set(packSigns(values, bits), encoded * bytesOf(bits));
    this.encoded += values.length / bits;
  }

  /** Adds an image with the row of another, or of itself. @param stamp a newer one */
  take({ columns: from, bits }: Rows, row: number, photo: Photo, stamp?: Stamp): void {
    const { columns, length } = this;
    const copy = (name: "sha256" | "contents" | "codes" | "outputs", width: number) =>
      columns[name].set(from[name].subarray(row * width, (row + 1) * width), length * width);
    copy("sha256", HASH_BYTES);
    copy("contents", CONTENT_BYTES);
    copy("codes", bytesOf(bits));
    copy("outputs", bits);
    columns.bytes[length] = from.bytes[row];
    columns.modified[length] = from.modified[row];
    if (stamp) this.stamp(length, stamp);
    columns.photos.push(photo);
    this.encoded = this.length;
  }
}

/** Names that are written at once. */
const LINES = 10_000;

/**
 * Writes the names as JSON.stringify(names, null, 1) would, which makes one text of all.
 * @param longest bytes of the file: those of the longest text that V8 can read it as
 * @throws UserError when they are longer together
 */
export function writeNames(path: string, photos: Photo[], longest = constants.MAX_STRING_LENGTH): void {
  const file = openSync(path, "w");
  let bytes = 0;
  const write = (text: string) => {
    bytes += Buffer.byteLength(text);
    if (bytes > longest)
      throw new UserError(
        `index: the names of ${photos.length} images take more than ${longest} bytes, the most that an index can hold. Index fewer images, or folders further down, from where names are shorter.`,
      );
    writeFileSync(file, text);
  };
  try {
    for (let first = 0; first < photos.length; first += LINES) {
      const lines = photos.slice(first, first + LINES).map(({ name }) => ` ${JSON.stringify(name)}`);
      write(`${first === 0 ? "[" : ","}\n${lines.join(",\n")}`);
    }
    write("\n]\n");
  } finally {
    closeSync(file);
  }
}

/** Writes rows, at least one. @returns the classes */
export function writeRows(data: string, { columns, length: rows, bits }: Rows): string[] {
  const { photos } = columns;
  const classes = [...new Set(photos.map((photo) => photo.class))].sort();
  if (classes.length > MOST_CLASSES)
    throw new UserError(
      `index: ${classes.length} folders would be classes, but an index has at most ${MOST_CLASSES}. Index a folder further up, or fewer folders.`,
    );
  const places = new Map(classes.map((name, at) => [name, at]));
  const codes = {
    ids: Uint32Array.from(photos, (_, row) => row),
    labels: Uint16Array.from(photos, (photo) => places.get(photo.class)!),
    values: columns.codes.subarray(0, rows * bytesOf(bits)),
    rows,
    bits,
    classes,
  };
  writeCodes(join(data, FILES.codes), codes);
  writeOutputs(join(data, FILES.outputs), codes, columns.outputs.subarray(0, rows * bits));
  writeFileSync(join(data, FILES.contents), columns.contents.subarray(0, rows * CONTENT_BYTES));
  writeNames(join(data, FILES.names), photos);
  writeTable(
    join(data, FILES.photos),
    "index-photos",
    { root: new Uint16(), bytes: new Float64(), modified: new Float64(), sha256: bytesColumn(HASH_BYTES) },
    rows,
    {
      root: Uint16Array.from(photos, ({ root }) => root),
      bytes: columns.bytes.subarray(0, rows),
      modified: columns.modified.subarray(0, rows),
      sha256: columns.sha256.subarray(0, rows * HASH_BYTES),
    },
  );
  return classes;
}
