/** A random negative for each positive pair, without asking each negative about each pair. */
import type { Random } from "../../shared/compute/random.ts";
import type { Batch, Triplets } from "./batch.ts";
import { justAbove, notAbove, sortLimits } from "./limits.ts";
import { emptyTriplets, push } from "./tuples.ts";

/** Negatives that are counted together. */
const BLOCK = 32;

/**
 * For each positive pair one of its negatives with d(a,n) < d(a,p) + margin, each as likely; pairs without one are
 * left out. The negatives find their places among the limits of all the anchor's pairs, and are counted by place, block
 * by block: so the number that fit a pair is a difference of two counts, and the drawn one is looked for in one block.
 * @param semihard only those with d(a,n) > d(a,p)
 */
export function drawNegatives(batch: Batch, margin: number, random: Random, semihard: boolean): Triplets {
  const { size, squared, negatives } = batch;
  const { first, second, count: pairs } = batch.positives;
  const triplets = emptyTriplets(pairs);
  const reach = Math.min(margin, Number.MAX_VALUE); // beyond the limits the array is filled with Infinity
  const limits = new Float64Array(4 * size);
  const places = new Int32Array(size);
  // Row b, column p: how many of the first b blocks' negatives have a place below p.
  const counts = new Int32Array((2 * size + 2) * (Math.ceil(size / BLOCK) + 1));
  for (let start = 0, end = 0; start < pairs; start = end) {
    const anchor = first[start];
    const row = anchor * size;
    const others = negatives[anchor];
    let length = 0;
    for (; end < pairs && first[end] === anchor; end++) {
      const near = squared[row + second[end]];
      limits[length++] = near + reach;
      if (semihard) limits[length++] = justAbove(near);
    }
    const half = sortLimits(limits, length);
    const width = length + 2;
    const blocks = Math.ceil(others.length / BLOCK);
    counts.fill(0, 0, width * (blocks + 1));
    for (let k = 0; k < others.length; k++) {
      places[k] = notAbove(limits, half, squared[row + others[k]]);
      counts[(Math.floor(k / BLOCK) + 1) * width + places[k] + 1]++;
    }
    for (let block = 1; block <= blocks; block++)
      for (let at = block * width, sum = 0; at < (block + 1) * width; at++) {
        sum += counts[at];
        counts[at] = counts[at - width] + sum;
      }
    for (let pair = start; pair < end; pair++) {
      const near = squared[row + second[pair]];
      const low = semihard ? notAbove(limits, half, justAbove(near)) : 0;
      const high = notAbove(limits, half, near + reach);
      const fitting = counts[blocks * width + high] - counts[blocks * width + low];
      if (fitting === 0) continue;
      const drawn = random.int(fitting);
      let block = 0;
      let before = 0;
      for (let next = 0; next <= drawn; block++) {
        before = next;
        next = counts[(block + 1) * width + high] - counts[(block + 1) * width + low];
      }
      let k = (block - 1) * BLOCK;
      // One comparison for both limits: below the lower one, the difference as an unsigned number is huge.
      for (let left = drawn - before; ; k++) {
        left -= Number((places[k] - low) >>> 0 < high - low);
        if (left < 0) break;
      }
      push(triplets, anchor, second[pair], others[k]);
    }
  }
  return triplets;
}
