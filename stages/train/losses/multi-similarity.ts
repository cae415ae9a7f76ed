/**
 * Multi-similarity loss with its own mining.
 *
 * For each anchor, mining keeps the positives whose cosine is below that of its most similar negative plus epsilon, and
 * the negatives whose cosine is above that of its least similar positive less epsilon. P and N are the positives and
 * negatives that remain.
 *
 * @equation
 * s = cosine with the anchor; mean over anchors of
 *     log(1 + Σ_P exp(-alpha (s - base))) / alpha + log(1 + Σ_N exp(beta (s - base))) / beta
 * @when Whole batches should be used without a selector, and alpha, beta and base can be chosen for the data: the
 * defaults are the paper's, chosen on other data.
 * @source Wang, Han, Huang, Dong & Scott 2019, "Multi-similarity loss with general pair weighting for deep metric
 * learning", equations 10 to 15 (base is its lambda)
 */

import { batchLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logOnePlusSum } from "../scoring/logsum.ts";

export default batchLoss({
  normalise: true,
  params: {
    alpha: scheduled({ default: 2, exclusiveMinimum: 0, description: "sharpness for positives" }),
    beta: scheduled({ default: 50, exclusiveMinimum: 0, description: "sharpness for negatives" }),
    base: scheduled({
      default: 0.5,
      minimum: -1,
      maximum: 1,
      description: "lambda, the cosine between near and far",
    }),
    epsilon: scheduled({ default: 0.1, minimum: 0, description: "how far mining reaches, in cosines" }),
  },
  score,
});

interface Params {
  alpha: number;
  beta: number;
  base: number;
  epsilon: number;
}

/** Counts all ordered pairs as selected, and those that were mined as active. */
function score(batch: Batch, { alpha, beta, base, epsilon }: Params): Scored {
  const { anchors, size, squared, members, negatives } = batch;
  const gradient = new Float32Array(anchors * size);
  const cosines = new Float64Array(size);
  const near = new Int32Array(size);
  const far = new Int32Array(size);
  const weights = new Float64Array(size);
  let loss = 0;
  let active = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const row = anchor * size;
    const own = members[anchor];
    const others = negatives[anchor];
    // On the unit sphere a cosine is 1 - |a-b|²/2, and dloss/d|a-b|² = -dloss/dcosine / 2.
    for (let j = 0; j < size; j++) cosines[j] = 1 - squared[row + j] / 2;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < own.length; k++) if (own[k] !== anchor) least = Math.min(least, cosines[own[k]]);
    for (let k = 0; k < others.length; k++) most = Math.max(most, cosines[others[k]]);
    let [nearCount, farCount] = [0, 0];
    for (let k = 0; k < own.length; k++)
      if (own[k] !== anchor && cosines[own[k]] - epsilon < most) near[nearCount++] = own[k];
    for (let k = 0; k < others.length; k++)
      if (cosines[others[k]] + epsilon > least) far[farCount++] = others[k];
    if (nearCount === 0 || farCount === 0) continue;
    active += nearCount + farCount;
    for (const same of [true, false]) {
      const [rows, count, sharpness] = same ? [near, nearCount, -alpha] : [far, farCount, beta];
      for (let k = 0; k < count; k++) weights[k] = sharpness * (cosines[rows[k]] - base);
      loss += logOnePlusSum(weights, count) / Math.abs(sharpness) / anchors;
      for (let k = 0; k < count; k++)
        gradient[row + rows[k]] = (-Math.sign(sharpness) * weights[k]) / 2 / anchors;
    }
  }
  return { loss, gradient, count: anchors * (size - 1), active };
}
