/** max(0, d(a,p) + margin - d(a,n)) over every triplet of a batch, without visiting the triplets. */
import type { Batch, Scored } from "./batch.ts";
import { mean } from "./triplets.ts";

/**
 * For one anchor, sort the negatives' distances once: the negatives with a loss for a positive are then a
 * prefix, its sum is a running sum, and how often a negative is in a prefix is counted at the prefix's end. Of
 * the order of size² log size, where the triplets are of the order of size³.
 * @param margin in squared distances
 */
export function scoreEveryHinge(batch: Batch, margin: number): Scored {
  const { size, labels, squared, positives } = batch;
  const gradient = new Float32Array(size * size);
  const near = new Float32Array(size); // the negatives' distances, ascending
  const sums = new Float64Array(size + 1);
  const ends = new Int32Array(size + 1);
  let loss = 0;
  let active = 0;
  let count = 0;
  for (let pair = 0; pair < positives.count; ) {
    const anchor = positives.first[pair];
    const row = anchor * size;
    let negatives = 0;
    for (let j = 0; j < size; j++) if (labels[j] !== labels[anchor]) near[negatives++] = squared[row + j];
    const sorted = near.subarray(0, negatives).sort();
    for (let i = 0; i < negatives; i++) sums[i + 1] = sums[i] + sorted[i];
    ends.fill(0, 0, negatives + 1);
    // The positives of one anchor stand together.
    for (; pair < positives.count && positives.first[pair] === anchor; pair++) {
      const ap = row + positives.second[pair];
      const limit = squared[ap] + margin;
      const end = below(sorted, limit);
      loss += end * limit - sums[end];
      active += end;
      gradient[ap] += end;
      ends[end]++;
      count += negatives;
    }
    // A negative has a loss for every prefix that ends behind it.
    for (let i = negatives - 1; i >= 0; i--) ends[i] += ends[i + 1];
    for (let j = 0; j < size; j++)
      if (labels[j] !== labels[anchor]) {
        const place = below(sorted, squared[row + j]);
        gradient[row + j] -= ends[place + 1];
      }
  }
  return mean(gradient, loss, count, active);
}

/** How many of the ascending values are less than the limit. */
function below(sorted: Float32Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
