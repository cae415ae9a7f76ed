/**
 * The multi-similarity loss with its own mining (Wang, Han, Huang, Dong & Scott 2019, equations 10 to 15). Of an
 * anchor's cosines s, those positives that are less similar than its most similar negative, and those negatives
 * that are more similar than its least similar positive, each within epsilon, make the loss
 * log(1 + Σ exp(-alpha (s - base))) / alpha + log(1 + Σ exp(beta (s - base))) / beta, with the mean over the batch.
 */
import type { Batch, Scored } from "../batch.ts";
import { logOnePlusSum } from "../logsum.ts";
import { distanceLoss, type Loss } from "../loss.ts";
import { scheduled } from "../schedules.ts";

export default {
  normalise: true,
  selects: "nothing",
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
  start() {
    return {
      ...distanceLoss((batch, params) => score(batch, params as Record<string, number>)),
      variables: [],
    };
  },
} satisfies Loss;

/** Counts all ordered pairs as selected, and those that were mined as active. */
function score(batch: Batch, { alpha, beta, base, epsilon }: Record<string, number>): Scored {
  const { size, squared, members, negatives } = batch;
  const gradient = new Float32Array(size * size);
  const weights = new Float64Array(size);
  let loss = 0;
  let active = 0;
  for (let anchor = 0; anchor < size; anchor++) {
    const row = anchor * size;
    // On the unit sphere a cosine is 1 - |a-b|²/2, and dloss/d|a-b|² = -dloss/dcosine / 2.
    const cosine = (j: number) => 1 - squared[row + j] / 2;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const j of members[anchor]) if (j !== anchor) least = Math.min(least, cosine(j));
    for (const j of negatives[anchor]) most = Math.max(most, cosine(j));
    const near = members[anchor].filter((j) => j !== anchor && cosine(j) - epsilon < most);
    const far = negatives[anchor].filter((j) => cosine(j) + epsilon > least);
    if (near.length === 0 || far.length === 0) continue;
    active += near.length + far.length;
    for (const [rows, sharpness] of [
      [near, -alpha],
      [far, beta],
    ] as const) {
      for (let k = 0; k < rows.length; k++) weights[k] = sharpness * (cosine(rows[k]) - base);
      loss += logOnePlusSum(weights, rows.length) / Math.abs(sharpness) / size;
      for (let k = 0; k < rows.length; k++)
        gradient[row + rows[k]] = (-Math.sign(sharpness) * weights[k]) / 2 / size;
    }
  }
  return { loss, gradient, count: size * (size - 1), active };
}
