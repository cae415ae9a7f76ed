/** The IDX layout of MNIST and the data sets made after it: one gzipped file of images, one of labels. LeCun et al. 1998. */
import { UserError } from "../../runner/stage.ts";
import { type Download, fetchFile } from "../shared/download/fetch.ts";
import type { Dataset, DatasetContext, ImageRow } from "./dataset.ts";
import { unpacked } from "./unpack.ts";

/** The four files, by the names of their params. */
export interface IdxFiles<T> {
  train_images: T;
  train_labels: T;
  test_images: T;
  test_labels: T;
}

/** An array of bytes and its sizes, `[images, height, width]` or `[images]`. */
interface Idx {
  sizes: number[];
  bytes: Buffer;
}

/** Bytes that a file may unpack to: twice those of the largest data set in this form (EMNIST). */
const MOST_BYTES = 2 ** 30;

/**
 * Unpacks a file and reads its sizes: two zeros, 8 for "unsigned byte", the number of dimensions, then each
 * size as a big-endian uint32.
 * @throws UserError when it is truncated, has another form, or holds more than its sizes say
 */
async function readIdx(path: string, dimensions: number): Promise<Idx> {
  const head = 4 + 4 * dimensions;
  const chunks: Buffer[] = [];
  let [bytes, wanted] = [0, MOST_BYTES];
  let sizes: number[] | undefined;
  for await (const chunk of unpacked(path, ".gz", () => wanted)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (sizes || bytes < head) continue;
    const first = Buffer.concat(chunks);
    if (first.readUInt32BE(0) !== 0x0800 + dimensions) break;
    sizes = Array.from({ length: dimensions }, (_, index) => first.readUInt32BE(4 + 4 * index));
    wanted = head + sizes.reduce((product, size) => product * size, 1);
    if (wanted > MOST_BYTES)
      throw new UserError(
        `${path}: announces ${wanted} bytes, but at most ${MOST_BYTES} are read. Is it the right file?`,
      );
  }
  if (!sizes)
    throw new UserError(`${path}: no IDX file of bytes with ${dimensions} dimensions. Is it the right file?`);
  if (bytes !== wanted)
    throw new UserError(
      `${path}: ${bytes} bytes, but ${sizes.join(" x ")} images or labels take ${wanted}. Fetch it again.`,
    );
  return { sizes, bytes: Buffer.concat(chunks).subarray(head) };
}

/** The images of one file with their labels from the other. @throws UserError when the two do not fit together */
function* idxRows(
  images: Idx,
  labels: Idx,
  classes: number,
  split: "train" | "test",
  firstId: number,
): Generator<ImageRow> {
  const [count, height, width] = images.sizes;
  for (let row = 0; row < count; row++) {
    const label = labels.bytes[row];
    if (label >= classes)
      throw new UserError(
        `${split} labels: row ${row} has label ${label}, but there are ${classes} classes (0 to ${classes - 1}).`,
      );
    const pixels = images.bytes.subarray(row * height * width, (row + 1) * height * width);
    yield { id: firstId + row, split, label, pixels };
  }
}

/**
 * Fetches the four files and opens them. An image's id is its place: training images first, then test images.
 * @param files as `pinnedFiles` of shared/download/fetch.ts declares them
 */
export async function openIdx(
  dataset: string,
  classes: string[],
  files: IdxFiles<Download>,
  context: DatasetContext,
): ReturnType<Dataset["open"]> {
  const read = async (name: keyof IdxFiles<Download>, dimensions: number) =>
    readIdx(await fetchFile(files[name], context), dimensions);
  const train = { images: await read("train_images", 3), labels: await read("train_labels", 1) };
  const test = { images: await read("test_images", 3), labels: await read("test_labels", 1) };
  const [, height, width] = train.images.sizes;
  for (const [name, { images, labels }] of Object.entries({ train, test })) {
    if (images.sizes[0] !== labels.sizes[0])
      throw new UserError(
        `${dataset}: ${images.sizes[0]} ${name} images, but ${labels.sizes[0]} labels. Do the files belong together?`,
      );
    if (images.sizes[1] !== height || images.sizes[2] !== width)
      throw new UserError(
        `${dataset}: ${name} images of ${images.sizes[1]} x ${images.sizes[2]} pixels beside some of ${height} x ${width}. Do the files belong together?`,
      );
  }
  const trained = train.images.sizes[0];
  return {
    info: { dataset, height, width, channels: 1, classes, images: trained + test.images.sizes[0] },
    rows: (function* () {
      yield* idxRows(train.images, train.labels, classes.length, "train", 0);
      yield* idxRows(test.images, test.labels, classes.length, "test", trained);
    })(),
  };
}
