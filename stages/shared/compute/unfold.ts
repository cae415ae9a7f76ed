/**
 * Convolutions without padding as products of matrices: each place of the filter is unfolded into a row of all the values
 * that it sees. In images whose channels come last these are a few runs of neighbours, and no channels are turned.
 * The rows are made in blocks that stay in the cache.
 */
import type * as tf from "@tensorflow/tfjs-core";
import {
  advance,
  again,
  END,
  functionsIn,
  get,
  I32,
  LOOP,
  loadVector,
  moduleOf,
  plus,
  set,
  storeVector,
  words,
} from "./assembler.ts";
import type { ConvolutionAttributes } from "./graphs.ts";
import { addressOf, type Heap } from "./heap.ts";
import { Tensor } from "./onnxruntime.ts";

const VECTOR = 16;
/** Values of a line of the cache. */
const LINE = 16;
/**
 * Values of a block of rows, with those that the product writes for them, or reads: as measured. The sum over all rows is
 * carried from block to block, so that large ones suit it better.
 */
export const BLOCKS = { rows: 1 << 18, sum: 1 << 20 };

/**
 * (from, to, runs, fromStep, toStep, vectors, last): copies runs of whole vectors, at least one, and of a last vector
 * that may overlap them; steps, and the offset of the last, in bytes.
 */
function copy(): number[] {
  const [from, to, runs, fromStep, toStep, vectors, last, source, target, left] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ];
  const body = [
    ...LOOP,
    ...[...get(from), ...set(source), ...get(to), ...set(target), ...get(vectors), ...set(left)],
    ...LOOP,
    ...[...get(target), ...loadVector(source), ...storeVector()],
    ...[...advance(source, VECTOR), ...advance(target, VECTOR), ...again(left), END],
    ...[...get(from), ...get(last), 0x6a, ...set(source), ...get(to), ...get(last), 0x6a],
    ...[...loadVector(source), ...storeVector()],
    ...[...plus(from, fromStep), ...plus(to, toStep), ...again(runs), END],
  ];
  return [1, 3, I32, ...body, END];
}

const MODULE = moduleOf({ c: { takes: words(7), body: copy() } });

/** Copies runs of `values` float32, at least 4; places and steps in bytes. */
export type Copies = (
  from: number,
  to: number,
  runs: number,
  fromStep: number,
  toStep: number,
  values: number,
) => void;

/** Copies in a memory; undefined where the engine has no vectors. */
export function copiesIn(memory: WebAssembly.Memory): Copies | undefined {
  const run = functionsIn(memory, MODULE)?.c;
  if (!run) return undefined;
  return (from, to, runs, fromStep, toStep, values) =>
    run(from, to, runs, fromStep, toStep, values >> 2, 4 * values - VECTOR);
}

/** Whether a convolution of images of so many channels is unfolded. */
export const unfolds = (
  { kernel, pads, dilations, group }: ConvolutionAttributes,
  channels: number,
): boolean =>
  group === 1 &&
  pads.every((pad) => pad === 0) &&
  dilations.every((one) => one === 1) &&
  kernel[1] * channels >= 4;

/** Some rows of the product: what they see, `[rows, kernel height * width * channels]`. */
export interface Block {
  patches: Tensor;
  /** Of the pixels of all outputs. */
  first: number;
  rows: number;
}

/** Unfolds images block by block; a block's memory is used again for the next. @param size of a block, in values */
export function unfold(
  heap: Heap,
  copies: Copies,
  x: tf.TensorInfo,
  { kernel, strides }: ConvolutionAttributes,
  out: number[],
  size: number,
  use: (block: Block) => void,
): void {
  const [images, outHeight, outWidth] = out;
  const [, height, width, channels] = x.shape;
  const run = kernel[1] * channels;
  const inner = kernel[0] * run;
  const lines = images * outHeight;
  const most = Math.min(lines, Math.max(1, Math.floor(size / (outWidth * (inner + out[3])))));
  const scratch = heap.makeOutput([most * outWidth * inner + LINE], "float32");
  const begin = -(addressOf(heap, scratch) >> 2) & (LINE - 1); // the next line of the cache
  const values = heap.typedArrayFromHeap(scratch).subarray(begin);
  const [from, to] = [addressOf(heap, x), addressOf(heap, scratch) + 4 * begin];
  for (let line = 0; line < lines; line += most) {
    const count = Math.min(most, lines - line);
    for (let k = 0; k < count; k++) {
      const image = Math.floor((line + k) / outHeight);
      const top = image * height + ((line + k) % outHeight) * strides[0];
      for (let a = 0; a < kernel[0]; a++) {
        const source = from + 4 * (top + a) * width * channels;
        const target = to + 4 * (k * outWidth * inner + a * run);
        copies(source, target, outWidth, 4 * strides[1] * channels, 4 * inner, run);
      }
    }
    const rows = count * outWidth;
    const patches = new Tensor("float32", values.subarray(0, rows * inner), [rows, inner]);
    use({ patches, first: line * outWidth, rows });
  }
  heap.disposeData(scratch.dataId);
}
