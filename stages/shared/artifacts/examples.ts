/** The input of a network: feature vectors or images, row by row. */

import { Resizer } from "../pixels/resize.ts";
import type { Scaling, Shape, Target } from "../pixels/shape.ts";
import { type View, wholeView } from "../pixels/view.ts";
import { numbers, readMetadata, readTable } from "./arrow.ts";
import { readSets } from "./label-sets.ts";
import { readStoredVectors, rowTaker } from "./vectors.ts";

/** How images enter a network, where that is not byte / 127.5 - 1 at their own size. */
export interface Entry extends Scaling {
  /** Side of the square input. */
  size: number;
}

/** Stored images, and how they enter the network. */
export interface Pixels {
  /** `[rows, height, width, channels]` */
  bytes: Uint8Array;
  stored: Shape;
  target: Target;
  scaling: Scaling;
}

/** Examples with their labels. */
export interface Examples {
  /** `[rows]` */
  ids: Uint32Array;
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  classes: string[];
  rows: number;
  /** Of one example: `[dim]`, `[height, width, channels]`, or `[channels, height, width]` as a layer gives it. */
  shape: number[];
  metadata: Record<string, unknown>;
  /** The chosen rows' values `[count, ...shape]`. */
  take(rows: ArrayLike<number>): Float32Array;
  /** Of images. */
  pixels?: Pixels;
}

/** Copies rows of `width` values. @param convert applied to each */
function taker(values: ArrayLike<number>, width: number, convert: (value: number) => number) {
  return (rows: ArrayLike<number>): Float32Array => {
    const out = new Float32Array(rows.length * width);
    for (let i = 0; i < rows.length; i++)
      for (let at = rows[i] * width, to = i * width; to < (i + 1) * width; at++, to++)
        out[to] = convert(values[at]);
    return out;
  };
}

/**
 * Resizes images as they enter a network.
 * @returns a function of rows and a view of each, whole images without; its result is void two calls later
 */
export function viewer({ bytes, stored, target, scaling }: Pixels) {
  const size = target.height * target.width * target.channels;
  const whole = wholeView(stored);
  let resizer: Resizer | undefined;
  let most = 0;
  let turn = 0;
  return (rows: ArrayLike<number>, views: View[] = Array(rows.length).fill(whole)): Float32Array => {
    if (!resizer || rows.length > most) {
      most = rows.length;
      resizer = new Resizer(stored, target, scaling, most, 2);
    }
    return resizer.fillViews(turn++ % 2, bytes, rows, views).subarray(0, rows.length * size);
  };
}

/** The scaling of bytes to [-1, 1]. */
const SIGNED: Scaling = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/**
 * Reads a table of vectors as it is, or of images.
 * @param entry how images enter the network; without it at their own size, with bytes scaled to [-1, 1]
 * @param again whether a vector may be taken more than once
 * @throws UserError as the readers of vectors.ts and arrow.ts do
 */
export function readExamples(
  path: string,
  kind: "features" | "images",
  entry?: Entry,
  again = true,
): Examples {
  if (kind === "features") {
    const stored = readStoredVectors(path);
    const { parts: _, dim, ...about } = stored;
    const shape = (about.metadata.shape as number[] | undefined) ?? [dim];
    return { ...about, shape, take: rowTaker(stored, again) };
  }
  const table = readTable(path, "images");
  const metadata = readMetadata(table);
  const { height, width, channels } = metadata as { height: number; width: number; channels: number };
  const size = height * width * channels;
  const bytes = new Uint8Array(table.numRows * size);
  let at = 0;
  for (const { values, offset, length } of table.getChild("pixels")!.data) {
    bytes.set((values as Uint8Array).subarray(offset * size, (offset + length) * size), at);
    at += length * size;
  }
  const ids = numbers<Uint32Array>(table, "id");
  const labels = numbers<Uint16Array>(table, "label");
  const classes = metadata.classes as string[];
  const sets = readSets(table, { ids, labels, classes: classes.length }, path);
  const stored = { height, width, channels };
  const pixels: Pixels = {
    bytes,
    stored,
    target: { ...(entry ? { height: entry.size, width: entry.size, channels: 3 } : stored), planes: false },
    scaling: entry ?? SIGNED,
  };
  return {
    ids,
    labels,
    ...(sets && { sets }),
    classes,
    rows: table.numRows,
    shape: [pixels.target.height, pixels.target.width, pixels.target.channels],
    metadata,
    take: entry ? viewer(pixels) : taker(bytes, size, (byte) => byte / 127.5 - 1),
    pixels,
  };
}
