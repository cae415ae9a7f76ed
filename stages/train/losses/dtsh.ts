/**
 * Deep triplet-supervised hashing: the likelihood of triplet labels.
 *
 * The paper sums over triplets and images (equation 7); here both parts are means, so that neither margin nor lambda
 * depends on the number of triplets. Between codes of +1 and -1, theta is bits/2 less their Hamming distance: a margin
 * of bits/2 asks that two classes differ in half of all bits. Without lambda the outputs grow without limit.
 *
 * @equation
 * theta_ij = u_i·u_j / 2
 * mean over triplets of  log(1 + exp(-(theta_ap - theta_an - margin)))
 *     + lambda · mean over images of |sign(u) - u|²
 * @when Codes have about 24 bits or more, and a batch holds several images of each class. Keep lambda above 0; the
 * margin bits/2 is a good start.
 * @source Wang, Shi & Kitani 2016, "Deep supervised hashing with triplet labels", equation 7 (margin is its alpha)
 */

import { squaredToSign, withOutputLoss } from "../hashing/quantisation.ts";
import { chooseTriplets } from "../kinds/triplets.ts";
import { defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Means, Scored, Triplets } from "../scoring/batch.ts";
import { forEachMean, meanOfMeans } from "../scoring/means.ts";
import { memoryParam } from "../scoring/memory.ts";
import { gramLoss } from "../scoring/ops.ts";
import { FARTHEST_SUMMED, logistic, softplus, softplusSums } from "../scoring/softplus.ts";
import { mean } from "../scoring/tuples.ts";

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "triplets",
  several: true,
  params: {
    margin: scheduled(
      {
        default: "bits/2",
        exclusiveMinimum: 0,
        description: "alpha, in halves of an inner product: bits/2 (the paper's), or a number",
      },
      "bits/2",
    ),
    lambda: scheduled({
      default: 0.1,
      minimum: 0,
      description: "weight of the quantisation: the mean over images of |sign(u) - u|²",
    }),
    ...memoryParam,
  },
  start({ dim, selector }) {
    const likelihood = gramLoss((batch, gram, params: { margin: number | "bits/2" }, given) => {
      const margin = params.margin === "bits/2" ? dim / 2 : params.margin;
      // Between codes, |a-b|² is 2 bits - 4 theta.
      const triplets = chooseTriplets(batch, given.triplets, selector, 4 * margin);
      if (triplets === "all") return scoreEvery(batch, gram, margin);
      if ("anchors" in triplets) return scoreListed(batch, gram, triplets, margin);
      return scoreMeans(batch, gram, triplets, margin);
    });
    return {
      ...likelihood,
      variables: [],
      loss(embeddings, labels, params, given) {
        const loss = likelihood.loss(embeddings, labels, params, given);
        return withOutputLoss(loss, embeddings, likelihood.counters, params.lambda, squaredToSign());
      },
    };
  },
});

/** Adds one triplet's slopes to the gradient. @returns its loss, by its weight */
function addTriplet(
  gradient: Float32Array,
  gram: Float32Array,
  ap: number,
  an: number,
  margin: number,
  weight = 1,
): number {
  const missing = margin - (gram[ap] - gram[an]) / 2;
  const slope = (weight * logistic(missing)) / 2;
  gradient[ap] -= slope;
  gradient[an] += slope;
  return weight * softplus(missing);
}

function scoreMeans(batch: Batch, gram: Float32Array, means: Means, margin: number): Scored {
  const { size } = batch;
  const gradient = new Float32Array(gram.length);
  let loss = 0;
  const { pairs, triplets } = forEachMean(batch, means, 4 * margin, (anchor, positive, negatives, count) => {
    const row = anchor * size;
    for (let k = 0; k < count; k++)
      loss += addTriplet(gradient, gram, row + positive, row + negatives[k], margin, 1 / count);
  });
  return meanOfMeans(gradient, loss, pairs, triplets);
}

function scoreListed({ size }: Batch, gram: Float32Array, triplets: Triplets, margin: number): Scored {
  const gradient = new Float32Array(gram.length);
  const { anchors, positives, negatives, count } = triplets;
  let loss = 0;
  for (let t = 0; t < count; t++) {
    const row = anchors[t] * size;
    loss += addTriplet(gradient, gram, row + positives[t], row + negatives[t], margin);
  }
  return mean(gradient, loss, count, count);
}

/** All triplets, by one exponential a pair: with x = -theta_ap and y = -theta_an - margin, a loss is softplus(x - y). */
function scoreEvery(batch: Batch, gram: Float32Array, margin: number): Scored {
  const { size, negatives } = batch;
  const { first, second, count: pairs } = batch.positives;
  const gradient = new Float32Array(gram.length);
  const sums = softplusSums(size);
  const a = new Float64Array(size);
  const b = new Float64Array(size);
  let count = 0;
  let loss = 0;
  for (let start = 0, end = 0; start < pairs; start = end) {
    const anchor = first[start];
    const row = anchor * size;
    const others = negatives[anchor];
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    const reach = (value: number) => {
      if (value < least) least = value;
      if (value > most) most = value;
      return value;
    };
    for (; end < pairs && first[end] === anchor; end++) a[end - start] = reach(-gram[row + second[end]] / 2);
    const positives = end - start;
    for (let k = 0; k < others.length; k++) b[k] = reach(-gram[row + others[k]] / 2 - margin);
    count += positives * others.length;
    if (most - least > FARTHEST_SUMMED) {
      for (let pair = start; pair < end; pair++)
        for (const other of others)
          loss += addTriplet(gradient, gram, row + second[pair], row + other, margin);
      continue;
    }
    for (let k = 0; k < positives; k++) a[k] = Math.exp(a[k] - least);
    for (let k = 0; k < others.length; k++) b[k] = Math.exp(b[k] - least);
    sums.negative.fill(0);
    sums.add(a, positives, b, others.length, most - least);
    for (let k = 0; k < positives; k++) gradient[row + second[start + k]] = -sums.positive[k] / 2;
    for (let k = 0; k < others.length; k++) gradient[row + others[k]] = -sums.negative[k] / 2;
  }
  return mean(gradient, loss + sums.loss, count, count);
}
