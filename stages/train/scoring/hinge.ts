/** max(0, d(a,p) + margin - d(a,n)) over every triplet of a batch, without visiting the triplets. */

import type { Batch, Scored } from "./batch.ts";
import { notAbove, sortLimits } from "./limits.ts";
import { mean } from "./tuples.ts";

/**
 * For one anchor, the limits d(a,p) + margin of its positives are sorted. A negative's place among them says for
 * how many positives it has a loss, and running sums over the places say how many negatives each positive has,
 * and how far they are. Of the order of size² log size, where the triplets are of the order of size³.
 * @param margin in squared distances
 */
export function scoreEveryHinge(batch: Batch, margin: number): Scored {
  const { anchors, size, squared, negatives } = batch;
  const { first, second, count: pairs } = batch.positives;
  const gradient = new Float32Array(anchors * size);
  const sorted = new Float64Array(2 * size);
  const counts = new Int32Array(size + 1);
  const sums = new Float64Array(size + 1);
  let loss = 0;
  let active = 0;
  let count = 0;
  for (let start = 0, end = 0; start < pairs; start = end) {
    const anchor = first[start];
    const row = anchor * size;
    const others = negatives[anchor];
    for (; end < pairs && first[end] === anchor; end++)
      sorted[end - start] = squared[row + second[end]] + margin;
    const positives = end - start;
    const half = sortLimits(sorted, positives);
    counts.fill(0, 0, positives + 1);
    sums.fill(0, 0, positives + 1);
    for (let k = 0; k < others.length; k++) {
      const distance = squared[row + others[k]];
      const place = notAbove(sorted, half, distance);
      counts[place]++;
      sums[place] += distance;
      gradient[row + others[k]] = place - positives;
    }
    for (let place = 1; place < positives; place++) {
      counts[place] += counts[place - 1];
      sums[place] += sums[place - 1];
    }
    for (let place = 0; place < positives; place++) {
      loss += counts[place] * sorted[place] - sums[place];
      active += counts[place];
    }
    for (let pair = start; pair < end; pair++) {
      const ap = row + second[pair];
      // Equal limits have equal counts, so the last of them stands for all.
      gradient[ap] = counts[notAbove(sorted, half, squared[ap] + margin) - 1];
    }
    count += positives * others.length;
  }
  return mean(gradient, loss, count, active);
}
