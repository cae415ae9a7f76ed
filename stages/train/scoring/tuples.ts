/** Sums over listed pairs and triplets. */
import type { Batch, PairSet, Pairs, Scored, Triplets } from "./batch.ts";
import type { PairTerm, Term } from "./term.ts";

/** The mean of a term over listed triplets. */
export function scoreTriplets(batch: Batch, triplets: Triplets, term: Term): Scored {
  const { size, squared } = batch;
  const gradient = new Float32Array(squared.length);
  const { anchors, positives, negatives, count } = triplets;
  let loss = 0;
  let active = 0;
  for (let t = 0; t < count; ) {
    const [anchor, positive] = [anchors[t], positives[t]];
    const row = anchor * size;
    const near = squared[row + positive];
    let slope = 0;
    // One pair's triplets are listed one after the other.
    for (; t < count && anchors[t] === anchor && positives[t] === positive; t++) {
      const an = row + negatives[t];
      term.at(near, squared[an]);
      if (term.loss <= 0) continue;
      active++;
      loss += term.loss;
      slope += term.positive;
      gradient[an] += term.negative;
    }
    gradient[row + positive] += slope;
  }
  return mean(gradient, loss, count, active);
}

/** The mean of a term over listed pairs. */
export function scorePairs(batch: Batch, { positive, negative }: PairSet, term: PairTerm): Scored {
  const { size, squared } = batch;
  const gradient = new Float32Array(squared.length);
  let loss = 0;
  let active = 0;
  const add = ({ first, second, count }: Pairs, same: boolean) => {
    for (let pair = 0; pair < count; pair++) {
      const at = first[pair] * size + second[pair];
      term.at(squared[at], same);
      if (term.loss > 0) active++;
      loss += term.loss;
      gradient[at] += term.slope;
    }
  };
  add(positive, true);
  add(negative, false);
  return mean(gradient, loss, positive.count + negative.count, active);
}

/** Turns sums over pairs or triplets into means; without any, the loss is 0. */
export function mean(gradient: Float32Array, loss: number, count: number, active: number): Scored {
  if (count === 0) return { loss: 0, gradient, count, active };
  const scale = 1 / count;
  for (let i = 0; i < gradient.length; i++) gradient[i] *= scale;
  return { loss: loss * scale, gradient, count, active };
}

/** Room for so many triplets. */
export function emptyTriplets(most: number): Triplets {
  return {
    anchors: new Int32Array(most),
    positives: new Int32Array(most),
    negatives: new Int32Array(most),
    count: 0,
  };
}

/** Appends one triplet. */
export function push(triplets: Triplets, anchor: number, positive: number, negative: number): void {
  triplets.anchors[triplets.count] = anchor;
  triplets.positives[triplets.count] = positive;
  triplets.negatives[triplets.count++] = negative;
}

/** Room for so many pairs. */
export function emptyPairs(most: number): Pairs {
  return { first: new Int32Array(most), second: new Int32Array(most), count: 0 };
}

/** Appends one pair. */
export function pushPair(pairs: Pairs, first: number, second: number): void {
  pairs.first[pairs.count] = first;
  pairs.second[pairs.count++] = second;
}

/** Lists every triplet of a batch: each of {@link Batch.positives} with every negative of its first row. */
export function everyTriplet({ positives, negatives }: Batch): Triplets {
  let most = 0;
  for (let pair = 0; pair < positives.count; pair++) most += negatives[positives.first[pair]].length;
  const triplets = emptyTriplets(most);
  for (let pair = 0; pair < positives.count; pair++)
    for (const negative of negatives[positives.first[pair]])
      push(triplets, positives.first[pair], positives.second[pair], negative);
  return triplets;
}
