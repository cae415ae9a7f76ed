/** The unit of one pass of the network: a batch of images, with its mirror images, or one view of each. */
import { type Part, UserError } from "../../runner/stage.ts";
import { type ImageList, readPixels } from "../shared/artifacts/images.ts";
import { setBytes } from "../shared/artifacts/label-sets.ts";
import { type Augmentation, drawViews } from "../shared/augmentation.ts";
import { random } from "../shared/compute/random.ts";
import type { Resizer } from "../shared/pixels/resize.ts";
import type { View } from "../shared/pixels/view.ts";

/** Images that go through the network together. */
export interface Unit {
  count: number;
  /** `[count, height, width, channels]` bytes, as stored. */
  pixels: Uint8Array;
  /** As the network takes them, `[count, 3, size, size]` each: features are the mean over these. */
  inputs: Float32Array[];
}

/** The values that are extracted of each image. */
export interface Wanted {
  /** Also the mirror image. */
  flip: boolean;
  /** Random views in place of the image itself. */
  views?: number;
  augment: Part<Augmentation>[];
  seed: number;
}

/** @throws UserError where params do not fit together */
export function checkWanted({ flip, views, augment }: Wanted): void {
  if (views === undefined && augment.length > 0)
    throw new UserError(
      `extract: augment changes random views. Say how many each image gets, as views: 16, or leave it out.`,
    );
  if (views !== undefined && augment.length === 0)
    throw new UserError(
      `extract: ${views} views of an image would be the same. Name what tells them apart, as augment: [flip, crop].`,
    );
  if (views !== undefined && flip)
    throw new UserError(
      "extract: flip takes the mean over an image and its mirror image, and views are single. Take augment: [flip] in its place.",
    );
}

/** Pixels of the chosen images alone, in batches that are full but for the last. @param chosen `[images]`, 1 for each */
async function* chosenPixels(path: string, batch: number, chosen: Uint8Array) {
  let [image, count] = [0, 0];
  let pixels = new Uint8Array(0);
  for await (const read of readPixels(path, batch)) {
    const size = read.pixels.length / read.count;
    for (let i = 0; i < read.count; i++) {
      if (!chosen[image++]) continue;
      if (count === 0) pixels = new Uint8Array(batch * size); // earlier ones are still looked at
      pixels.set(read.pixels.subarray(i * size, (i + 1) * size), count++ * size);
      if (count < batch) continue;
      yield { count, pixels };
      count = 0;
    }
  }
  if (count > 0) yield { count, pixels: pixels.subarray(0, (count * pixels.length) / batch) };
}

/**
 * Reads what goes through the network, unit after unit; of views, all first ones of a batch, then all second ones, ….
 * @param resizer with two sets of buffers: the inputs of a unit are void two units later
 */
export async function* readUnits(
  path: string,
  batch: number,
  resizer: Resizer,
  list: ImageList,
  chosen: Uint8Array | undefined,
  { flip, views, augment, seed }: Wanted,
): AsyncGenerator<Unit> {
  let turn = 0;
  const draw = drawViews(augment, list, (name) => random(seed, name));
  const some = chosen ?? (views && new Uint8Array(list.ids.length).fill(1));
  for await (const { count, pixels } of some ? chosenPixels(path, batch, some) : readPixels(path, batch)) {
    if (views === undefined) {
      const mirrored = flip ? [false, true] : [false];
      const first = (turn++ % 2) * mirrored.length;
      const inputs = mirrored.map((own, index) => resizer.fill(first + index, pixels, count, own));
      yield { count, pixels, inputs };
      continue;
    }
    const images = Uint32Array.from({ length: count }, (_, image) => image);
    // All of an image before the next image's, so that the size of a batch changes nothing.
    const drawn: View[][] = Array.from(images, () => Array.from({ length: views }, draw));
    for (let view = 0; view < views; view++) {
      const own = drawn.map((all) => all[view]);
      yield { count, pixels, inputs: [resizer.fillViews(turn++ % 2, pixels, images, own)] };
    }
  }
}

/** The images of the rows that are written, in the order of {@link readUnits}: the chosen ones, each as often as it has views. */
export function rowsWritten(
  list: ImageList,
  batch: number,
  chosen: Uint8Array | undefined,
  views = 1,
): Pick<ImageList, "ids" | "labels" | "sets"> {
  const images: number[] = [];
  for (let image = 0; image < list.ids.length; image++) if (!chosen || chosen[image]) images.push(image);
  const rows: number[] = [];
  for (let first = 0; first < images.length; first += batch)
    for (let view = 0; view < views; view++) rows.push(...images.slice(first, first + batch));
  const bytes = setBytes(list.classes.length);
  const { sets } = list;
  return {
    ids: Uint32Array.from(rows, (row) => list.ids[row]),
    labels: Uint16Array.from(rows, (row) => list.labels[row]),
    ...(sets && {
      sets: Uint8Array.from(rows.flatMap((row) => [...sets.subarray(row * bytes, (row + 1) * bytes)])),
    }),
  };
}
