/**
 * Every triplet of a batch under a loss of the two distances' difference, by way of the distances' exponentials:
 * one for each pair, and none for each triplet.
 */

import { type Batch, forUpperTiles, type Scored } from "./batch.ts";
import type { Term } from "./term.ts";
import { everyTriplet, mean, scoreTriplets } from "./tuples.ts";

/** Sums over the triplets of one anchor. */
export interface AnchorSums {
  /** The sum of the losses. */
  loss: number;
  /** dloss / d(distance), summed for each positive and each negative; added to the present values. */
  positive: Float64Array;
  negative: Float64Array;
  /**
   * @param a exp of the distances to the positives, the first `positives` of it
   * @param b exp of the distances to the negatives, the first `negatives` of it
   * @param farthest the largest distance in the batch
   */
  add(a: Float64Array, positives: number, b: Float64Array, negatives: number, farthest: number): void;
}

/** Distances above this are not grown: exp of them and of sums of few of them must be a number (up to exp(709)). */
const FARTHEST = 300;

/**
 * The mean over every triplet.
 * @param term the same loss, triplet by triplet: for embeddings so far apart that an exponential would overflow
 */
export function scoreByExponentials(batch: Batch, sums: AnchorSums, term: Term): Scored {
  const { anchors, size, squared, negatives } = batch;
  const { first, second, count: pairs } = batch.positives;
  let farthest = 0;
  for (let i = 0; i < squared.length; i++) if (squared[i] > farthest) farthest = squared[i];
  farthest = Math.sqrt(farthest);
  if (farthest > FARTHEST) return scoreTriplets(batch, everyTriplet(batch), term);

  const grown = new Float64Array(squared.length);
  // d|x| / d|x|² = 1 / (2|x|); where two embeddings coincide the direction is undefined, and 0 is taken.
  const slopes = new Float64Array(squared.length);
  const grow = (at: number, mirrored: number): void => {
    const distance = Math.sqrt(squared[at]);
    grown[at] = grown[mirrored] = Math.exp(distance);
    slopes[at] = slopes[mirrored] = distance > 0 ? 0.5 / distance : 0;
  };
  if (batch.memory) for (let at = 0; at < squared.length; at++) grow(at, at);
  else
    forUpperTiles(size, (i, from, to) => {
      for (let j = from; j < to; j++) grow(i * size + j, j * size + i);
    });
  const gradient = new Float32Array(anchors * size);
  const a = new Float64Array(size);
  const b = new Float64Array(size);
  let count = 0;
  sums.loss = 0;
  for (let start = 0, end = 0; start < pairs; start = end) {
    const anchor = first[start];
    const row = anchor * size;
    const others = negatives[anchor];
    for (; end < pairs && first[end] === anchor; end++) a[end - start] = grown[row + second[end]];
    for (let k = 0; k < others.length; k++) b[k] = grown[row + others[k]];
    sums.positive.fill(0);
    sums.negative.fill(0);
    sums.add(a, end - start, b, others.length, farthest);
    for (let pair = start; pair < end; pair++)
      gradient[row + second[pair]] = sums.positive[pair - start] * slopes[row + second[pair]];
    for (let k = 0; k < others.length; k++)
      gradient[row + others[k]] = sums.negative[k] * slopes[row + others[k]];
    count += (end - start) * others.length;
  }
  return mean(gradient, sums.loss, count, count);
}
