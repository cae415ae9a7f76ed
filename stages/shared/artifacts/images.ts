/** The artifact `images`: tables of any size; the list of images is read at once, pixels batch by batch. */
import { type FixedSizeBinary, type RecordBatch, Uint16, Uint32, Utf8 } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { bytesColumn, createTable, readBatches, readMetadata } from "./arrow.ts";
import { ifSeveral, packSets, readSetColumn, setBytes } from "./label-sets.ts";

/** The images without their pixels. */
export interface ImageList {
  /** `[images]` */
  ids: Uint32Array;
  /** `[images]`, indices into `classes` */
  labels: Uint16Array;
  /** `[images]`, 1 where the data set publishes the image as a test image */
  test: Uint8Array;
  dataset: string;
  classes: string[];
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  height: number;
  width: number;
  channels: number;
}

/** Values of a column of numbers, in one batch. */
const valuesOf = <T>(batch: RecordBatch, column: string) => batch.getChild(column)!.toArray() as T;

/** Arrays of one type in one. */
export function joined<T extends Uint32Array | Uint16Array | Uint8Array>(
  parts: T[],
  type: new (length: number) => T,
): T {
  const whole = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Reads the list of images.
 * @throws UserError when there are none, a label is outside the classes, or pixels do not fit the size given
 */
export async function readImageList(path: string): Promise<ImageList> {
  const ids: Uint32Array[] = [];
  const labels: Uint16Array[] = [];
  const test: Uint8Array[] = [];
  let about: Omit<ImageList, "ids" | "labels" | "test" | "sets"> | undefined;
  const sets: Uint8Array[] = [];
  let rows = 0;
  for await (const batch of readBatches(path, "images")) {
    if (!about) {
      about = readMetadata(batch) as unknown as NonNullable<typeof about>;
      const { height, width, channels } = about;
      const { byteWidth } = batch.getChild("pixels")!.type as FixedSizeBinary;
      if (byteWidth !== height * width * channels)
        throw new UserError(
          `${path}: images of ${height} x ${width} x ${channels} have ${height * width * channels} bytes, but these have ${byteWidth}. Make it again.`,
        );
    }
    ids.push(valuesOf(batch, "id"));
    labels.push(valuesOf(batch, "label"));
    test.push(Uint8Array.from(batch.getChild("split")!, (split) => (split === "test" ? 1 : 0)));
    for (const [row, label] of labels.at(-1)!.entries())
      if (label >= about.classes.length)
        throw new UserError(
          `${path}: image ${ids.at(-1)![row]} has label ${label}, but there are ${about.classes.length} classes (0 to ${about.classes.length - 1}).`,
        );
    const own = { ids: ids.at(-1)!, labels: labels.at(-1)!, classes: about.classes.length };
    const some = readSetColumn(batch, own, path);
    if (some) sets.push(some);
    rows += batch.numRows;
  }
  if (!about || rows === 0) throw new UserError(`${path}: holds no images.`);
  const { dataset, classes, height, width, channels } = about;
  const all = joined(sets, Uint8Array);
  const several = all.length ? ifSeveral(all, rows) : undefined;
  return {
    ids: joined(ids, Uint32Array),
    labels: joined(labels, Uint16Array),
    test: joined(test, Uint8Array),
    dataset,
    classes,
    ...(several && { sets: several }),
    height,
    width,
    channels,
  };
}

/** The pixels, HWC, in pieces of at most `images` images: `[count, height, width, channels]` bytes each. */
export async function* readPixels(
  path: string,
  images: number,
): AsyncGenerator<{ count: number; pixels: Uint8Array }> {
  for await (const batch of readBatches(path, "images"))
    for (const data of batch.getChild("pixels")!.data) {
      const bytes = (data.type as FixedSizeBinary).byteWidth;
      for (let row = 0; row < data.length; row += images) {
        const count = Math.min(images, data.length - row);
        const start = (data.offset + row) * bytes;
        yield { count, pixels: (data.values as Uint8Array).subarray(start, start + count * bytes) };
      }
    }
}

/** Images of a batch that is written. */
const WRITTEN = 2000;

/** An image as it is written. */
export interface WrittenImage {
  id: number;
  /** As the data set publishes it. */
  split: string;
  label: number;
  /** All labels, ascending, where images may have several. */
  labels?: number[];
  /** `[height, width, channels]` bytes. */
  pixels: Uint8Array;
}

/**
 * Writes `images`, batch by batch.
 * @param several whether images may have several labels
 * @param onBatch given the number of images written so far
 * @returns the number of images
 */
export async function writeImages(
  path: string,
  images: AsyncIterable<WrittenImage> | Iterable<WrittenImage>,
  metadata: { classes: string[]; height: number; width: number; channels: number } & Record<string, unknown>,
  several: boolean,
  onBatch: (written: number) => void,
): Promise<number> {
  const size = metadata.height * metadata.width * metadata.channels;
  const classes = metadata.classes.length;
  const columns = {
    id: new Uint32(),
    split: new Utf8(),
    label: new Uint16(),
    ...(several && { labels: bytesColumn(setBytes(classes)) }),
    pixels: bytesColumn(size),
  };
  const table = createTable(path, "images", columns, metadata);
  let batch: WrittenImage[] = [];
  let written = 0;
  const flush = () => {
    if (batch.length === 0) return;
    const pixels = new Uint8Array(batch.length * size);
    for (const [row, image] of batch.entries()) pixels.set(image.pixels, row * size);
    const sets = several && {
      labels: packSets(
        batch.map(({ labels }) => labels!),
        classes,
      ),
    };
    table.write(batch.length, {
      id: Uint32Array.from(batch, ({ id }) => id),
      split: batch.map(({ split }) => split),
      label: Uint16Array.from(batch, ({ label }) => label),
      ...sets,
      pixels,
    });
    written += batch.length;
    batch = [];
    onBatch(written);
  };
  for await (const image of images) {
    batch.push(image);
    if (batch.length === WRITTEN) flush();
  }
  flush();
  table.close();
  return written;
}
