/** Each positive pair with the mean over its negatives: as many triplets as there are, and none written down. */

import type { Batch, Means, Scored } from "./batch.ts";
import { justAbove, notAbove, sortLimits } from "./limits.ts";
import type { Term } from "./term.ts";

/** Writes the images that are positives of an anchor into the front of `partners`. @returns how many */
function findPartners(
  { memory, members }: Batch,
  anchor: number,
  { bothEnds }: Means,
  partners: Int32Array,
): number {
  const own = members[anchor];
  const every = bothEnds || memory; // the rows of a memory cannot be anchors
  let count = 0;
  for (let k = 0; k < own.length; k++)
    if (own[k] > anchor || (every && own[k] !== anchor)) partners[count++] = own[k];
  return count;
}

/**
 * Calls `pair` for each pair that has a negative nearer than its positive and the margin.
 * @param margin in squared distances
 * @param pair is given the pair's negatives, the first `count` of them
 * @returns how many pairs that were, and how many triplets
 */
export function forEachMean(
  batch: Batch,
  means: Means,
  margin: number,
  pair: (anchor: number, positive: number, negatives: Int32Array, count: number) => void,
): { pairs: number; triplets: number } {
  const { anchors, size, squared, negatives } = batch;
  const partners = new Int32Array(size);
  const within = new Int32Array(size);
  let [pairs, triplets] = [0, 0];
  for (let anchor = 0; anchor < anchors; anchor++) {
    const row = anchor * size;
    const positives = findPartners(batch, anchor, means, partners);
    for (let p = 0; p < positives; p++) {
      const near = squared[row + partners[p]];
      let count = 0;
      for (const negative of negatives[anchor]) {
        const far = squared[row + negative];
        if (far < near + margin && (far > near || !means.semihard)) within[count++] = negative;
      }
      if (count === 0) continue;
      pairs++;
      triplets += count;
      pair(anchor, partners[p], within, count);
    }
  }
  return { pairs, triplets };
}

/** The mean over the pairs of the mean over each one's negatives, triplet by triplet. See {@link forEachMean}. */
export function scoreMeans(batch: Batch, means: Means, margin: number, term: Term): Scored {
  const { anchors, size, squared } = batch;
  const gradient = new Float32Array(anchors * size);
  let loss = 0;
  const { pairs, triplets } = forEachMean(batch, means, margin, (anchor, positive, negatives, count) => {
    const ap = anchor * size + positive;
    for (let k = 0; k < count; k++) {
      const an = anchor * size + negatives[k];
      term.at(squared[ap], squared[an]);
      loss += term.loss / count;
      gradient[ap] += term.positive / count;
      gradient[an] += term.negative / count;
    }
  });
  return meanOfMeans(gradient, loss, pairs, triplets);
}

/** {@link scoreMeans} of max(0, d(a,p) + margin - d(a,n)), of the order of size² log size. See hinge.ts. */
export function scoreHingeMeans(batch: Batch, means: Means, margin: number): Scored {
  const { anchors, size, squared, negatives } = batch;
  const gradient = new Float32Array(anchors * size);
  const limits = new Float64Array(4 * size);
  const partners = new Int32Array(size);
  const places = new Int32Array(size);
  // Of the negatives below each place; then what all pairs weigh at it.
  const counts = new Int32Array(2 * size + 2);
  const sums = new Float64Array(2 * size + 2);
  const weights = new Float64Array(2 * size + 2);
  let [loss, pairs, triplets] = [0, 0, 0];
  for (let anchor = 0; anchor < anchors; anchor++) {
    const row = anchor * size;
    const others = negatives[anchor];
    const positives = findPartners(batch, anchor, means, partners);
    if (positives === 0) continue;
    let length = 0;
    for (let p = 0; p < positives; p++) {
      const near = squared[row + partners[p]];
      limits[length++] = near + margin;
      if (means.semihard) limits[length++] = justAbove(near);
    }
    const half = sortLimits(limits, length);
    counts.fill(0, 0, length + 2);
    sums.fill(0, 0, length + 2);
    weights.fill(0, 0, length + 2);
    for (let k = 0; k < others.length; k++) {
      const distance = squared[row + others[k]];
      const place = notAbove(limits, half, distance);
      places[k] = place;
      counts[place + 1]++;
      sums[place + 1] += distance;
    }
    for (let place = 1; place <= length + 1; place++) {
      counts[place] += counts[place - 1];
      sums[place] += sums[place - 1];
    }
    for (let p = 0; p < positives; p++) {
      const near = squared[row + partners[p]];
      const low = means.semihard ? notAbove(limits, half, justAbove(near)) : 0;
      const high = notAbove(limits, half, near + margin);
      const count = counts[high] - counts[low];
      if (count === 0) continue;
      pairs++;
      triplets += count;
      loss += near + margin - (sums[high] - sums[low]) / count;
      gradient[row + partners[p]] = 1;
      weights[low] += 1 / count;
      weights[high] -= 1 / count;
    }
    for (let place = 1; place <= length; place++) weights[place] += weights[place - 1];
    for (let k = 0; k < others.length; k++) gradient[row + others[k]] -= weights[places[k]];
  }
  return meanOfMeans(gradient, loss, pairs, triplets);
}

/** Sums over pairs into means; no pair is a defined zero. Each of the triplets has a loss. */
export function meanOfMeans(gradient: Float32Array, loss: number, pairs: number, triplets: number): Scored {
  const scale = pairs === 0 ? 0 : 1 / pairs;
  for (let i = 0; i < gradient.length; i++) gradient[i] *= scale;
  return { loss: loss * scale, gradient, count: triplets, active: triplets };
}
