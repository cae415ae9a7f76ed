/**
 * Codes of the training images as variables beside the network's outputs (Jiang & Li 2018). The sums over all pairs of
 * an image and a code are taken from the sums of each class's codes and the codes' products, without a matrix of pairs.
 */
import { descendBits } from "./discrete.ts";
import type { LearnedCodes } from "./learned.ts";
import { signOf } from "./quantisation.ts";

/** The weights of the distance of outputs and codes. */
export interface CodeWeights {
  /** Of |v_i - u_i|². */
  gamma: number;
  /** Whether the similarity of two images of two classes is -(similar pairs) / (other pairs) and not -1. */
  balance: boolean;
}

/** No codes yet. */
export const noCodes = (bits: number, classes: number): LearnedCodes => ({
  count: 0,
  steps: 0,
  rows: new Int32Array(0),
  labels: new Int32Array(0),
  codes: new Float32Array(0),
  outputs: new Float32Array(0),
  drawn: new Uint8Array(0),
  products: new Float64Array(bits * bits),
  sums: new Float64Array(classes * bits),
  sizes: new Float64Array(classes),
});

const bitsOf = ({ sums, sizes }: LearnedCodes): number => sums.length / sizes.length;

/** The same array, or a copy with at least twice the room. */
function withRoom<T extends Int32Array | Float32Array | Uint8Array>(values: T, length: number, fill = 0): T {
  if (length <= values.length) return values;
  const larger = new (values.constructor as new (length: number) => T)(Math.max(length, 2 * values.length));
  larger.fill(fill, values.length);
  larger.set(values);
  return larger;
}

/** Adds a row's code to the sums, `times` 1, or takes it away, -1. */
function count(held: LearnedCodes, row: number, codes: Float32Array, times: 1 | -1): void {
  const bits = bitsOf(held);
  const { products, sums, sizes } = held;
  const own = held.labels[row] * bits;
  sizes[held.labels[row]] += times;
  for (let k = 0, at = row * bits; k < bits; k++) {
    const code = times * codes[at + k];
    sums[own + k] += code;
    for (let l = 0; l < bits; l++) products[k * bits + l] += code * codes[at + l];
  }
}

/**
 * A batch enters: its outputs are noted, and the code of a new image is the signs of its outputs.
 * @param images numbers of the training images, `[batch]`
 * @param outputs `[batch, bits]`
 * @returns their rows
 */
export function enterBatch(
  held: LearnedCodes,
  images: Int32Array,
  labels: Int32Array,
  outputs: Float64Array,
): Int32Array {
  const bits = bitsOf(held);
  held.rows = withRoom(held.rows, images.reduce((most, image) => Math.max(most, image), -1) + 1, -1);
  const room = held.count + images.length;
  held.labels = withRoom(held.labels, room);
  held.drawn = withRoom(held.drawn, room);
  held.codes = withRoom(held.codes, room * bits);
  held.outputs = withRoom(held.outputs, room * bits);
  held.steps++;
  return images.map((image, i) => {
    const known = held.rows[image];
    const row = known < 0 ? held.count++ : known;
    const own = outputs.subarray(i * bits, (i + 1) * bits);
    held.outputs.set(own, row * bits);
    held.drawn[row] = 1;
    if (known < 0) {
      held.rows[image] = row;
      held.labels[row] = labels[i];
      for (let k = 0; k < bits; k++) held.codes[row * bits + k] = signOf(own[k]);
      count(held, row, held.codes, 1);
    }
    return row;
  });
}

/** Minus the similarity of two images of two classes. */
function apartOf({ sizes, count }: LearnedCodes, balance: boolean): number {
  const similar = sizes.reduce((sum, size) => sum + size * size, 0);
  return balance && similar < count * count ? similar / (count * count - similar) : 1;
}

/** For each class Σ of similarity times row, over all rows, out of the sums of the classes `[classes, bits]`. */
function bySimilarity(sums: Float64Array, bits: number, apart: number): Float64Array {
  const all = new Float64Array(bits);
  for (let at = 0; at < sums.length; at++) all[at % bits] += sums[at];
  return sums.map((sum, at) => (1 + apart) * sum - apart * all[at % bits]);
}

/**
 * mean over the batch's images i and all rows j of (u_i·v_j - bits s_ij)² / bits, plus gamma / (bits · rows) times the
 * mean over i of |v_i - u_i|².
 * @param rows of the batch's images
 * @param outputs u, `[batch, bits]`
 * @returns also the gradient with respect to u
 */
export function scoreCodes(
  held: LearnedCodes,
  rows: Int32Array,
  outputs: Float64Array,
  { gamma, balance }: CodeWeights,
): { loss: number; gradient: Float64Array } {
  const bits = bitsOf(held);
  const { codes, products, sizes } = held;
  const apart = apartOf(held, balance);
  const wanted = bySimilarity(held.sums, bits, apart);
  const scale = 1 / (rows.length * held.count * bits);
  const gradient = new Float64Array(outputs.length);
  let sum = 0;
  for (const [i, row] of rows.entries()) {
    const label = held.labels[row];
    sum += bits * bits * (sizes[label] + apart * apart * (held.count - sizes[label]));
    for (let k = 0, at = i * bits; k < bits; k++) {
      let product = 0;
      for (let l = 0; l < bits; l++) product += products[k * bits + l] * outputs[at + l];
      const u = outputs[at + k];
      const pull = bits * wanted[label * bits + k];
      const off = u - codes[row * bits + k];
      sum += u * (product - 2 * pull) + gamma * off * off;
      gradient[at + k] = 2 * scale * (product - pull + gamma * off);
    }
  }
  return { loss: scale * sum, gradient };
}

/**
 * Finds the codes of all rows, bit by bit, for the outputs that are noted since the last time: each bit is the best
 * while the others hold, so that Σ over these images i and all rows j of (u_i·v_j - bits s_ij)², plus
 * gamma Σ |v_i - u_i|², never rises. It is a sum of |U v|² - 2 v·w over the codes v: as in dsdh, with U as the classifier.
 */
export function findCodes(held: LearnedCodes, { gamma, balance }: CodeWeights): void {
  const bits = bitsOf(held);
  const { codes, outputs, drawn, labels } = held;
  const chosen: number[] = [];
  const ofClasses = new Float64Array(held.sums.length);
  for (let row = 0; row < held.count; row++) {
    if (!drawn[row]) continue;
    chosen.push(row);
    for (let k = 0; k < bits; k++) ofClasses[labels[row] * bits + k] += outputs[row * bits + k];
  }
  const columns = Array.from({ length: bits }, (_, k) =>
    Float64Array.from(chosen, (row) => outputs[row * bits + k]),
  );
  const byClass = bySimilarity(ofClasses, bits, apartOf(held, balance));
  const wanted = new Float64Array(held.count * bits);
  for (let row = 0, at = 0; row < held.count; row++)
    for (let k = 0; k < bits; k++, at++)
      wanted[at] = bits * byClass[labels[row] * bits + k] + (drawn[row] ? gamma * outputs[at] : 0);
  const before = codes.slice(0, wanted.length);
  descendBits(codes.subarray(0, wanted.length), wanted, new Float32Array(0), columns, 1, 1);
  for (let row = 0; row < held.count; row++) {
    let at = row * bits;
    while (at < (row + 1) * bits && codes[at] === before[at]) at++;
    if (at === (row + 1) * bits) continue;
    count(held, row, before, -1);
    count(held, row, codes, 1);
  }
  drawn.fill(0);
}
