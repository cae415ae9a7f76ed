/**
 * Tuplet margin loss, with the intra-pair variance loss.
 *
 * The margin is an angle, taken off the angle of anchor and positive. The variance term draws the cosines of positive
 * pairs, and those of negative pairs, to their means.
 *
 * @equation
 * s = cosine; mean over pairs a, p of  log(1 + Σ_n exp(scale (s_an - cos(angle_ap - margin))))
 *     + variance · (mean over positive pairs of  max(0, (1 - epsilon) mean_p - s_ap)²
 *                 + mean over negative pairs of  max(0, s_an - (1 + epsilon) mean_n)²)
 * @when Whole batches should be used without a selector, and the classes are many. Hard pairs count exponentially more:
 * wrong labels hurt.
 * @source Yu & Tao 2019, "Deep metric learning with tuplet margin loss"
 */
import { cosineLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logSum } from "../scoring/logsum.ts";
import { logistic, softplus } from "../scoring/softplus.ts";
import { mean } from "../scoring/tuples.ts";

/** Below this sine of the angle of anchor and positive the slope is cut: two equal embeddings have no direction. */
const LEAST_SINE = 1e-3;

interface Params {
  margin: number;
  scale: number;
  variance: number;
  epsilon: number;
}

export default cosineLoss({
  params: {
    margin: scheduled({ default: 5.73, minimum: 0, maximum: 90, description: "beta, in degrees" }),
    scale: scheduled({ default: 64, exclusiveMinimum: 0, description: "s" }),
    variance: scheduled({
      default: 0.5,
      minimum: 0,
      description: "lambda, weight of the intra-pair variance",
    }),
    epsilon: scheduled({ default: 0.01, minimum: 0, maximum: 1, description: "slack of the variance" }),
  },
  score(batch, cosines, params) {
    const scored = scoreTuplets(batch, cosines, params);
    if (params.variance > 0) scored.loss += addVariance(scored.gradient, batch, cosines, params);
    return scored;
  },
});

function scoreTuplets(
  { anchors, size, members, negatives }: Batch,
  cosines: Float32Array,
  params: Params,
): Scored {
  const { scale } = params;
  const margin = (params.margin * Math.PI) / 180;
  const gradient = new Float32Array(anchors * size);
  const far = new Float64Array(size);
  let loss = 0;
  let pairs = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    if (members[anchor].length < 2) continue;
    const row = anchor * size;
    const others = negatives[anchor];
    for (let k = 0; k < others.length; k++) far[k] = scale * cosines[row + others[k]];
    const sum = logSum(far, others.length);
    let push = 0;
    for (const j of members[anchor]) {
      if (j === anchor) continue;
      const cosine = Math.max(-1, Math.min(1, cosines[row + j]));
      const angle = Math.acos(cosine) - margin;
      const missing = sum - scale * Math.cos(angle);
      const slope = scale * logistic(missing);
      loss += softplus(missing);
      // dcos(angle - margin) / dcos(angle)
      const sine = Math.max(LEAST_SINE, Math.sqrt(1 - cosine * cosine));
      gradient[row + j] = (-slope * Math.sin(angle)) / sine;
      push += slope;
      pairs++;
    }
    for (let k = 0; k < others.length; k++) gradient[row + others[k]] = push * far[k];
  }
  return mean(gradient, loss, pairs, pairs);
}

/** Adds the slopes of the intra-pair variance. @returns its loss, by its weight */
function addVariance(
  gradient: Float32Array,
  { anchors, size, members, negatives }: Batch,
  cosines: Float32Array,
  { variance, epsilon }: Params,
): number {
  let loss = 0;
  for (const same of [true, false]) {
    const partners = same ? members : negatives;
    const places = new Int32Array(anchors * size);
    let count = 0;
    let sum = 0;
    for (let anchor = 0; anchor < anchors; anchor++) {
      const own = partners[anchor];
      for (let k = 0; k < own.length; k++) {
        if (own[k] === anchor) continue;
        const at = anchor * size + own[k];
        places[count++] = at;
        sum += cosines[at];
      }
    }
    if (count === 0) continue;
    const side = same ? 1 : -1;
    const limit = ((1 - side * epsilon) * sum) / count;
    const off = (at: number) => Math.max(0, side * (limit - cosines[at]));
    let total = 0;
    let squares = 0;
    for (let pair = 0; pair < count; pair++) {
      const missing = off(places[pair]);
      total += missing;
      squares += missing * missing;
    }
    loss += (variance * squares) / count;
    // The mean takes part: a pair's cosine moves it, and with it the limit of all pairs.
    const shared = (2 * side * (1 - side * epsilon) * total) / count;
    for (let pair = 0; pair < count; pair++) {
      const at = places[pair];
      gradient[at] += (variance * (shared - 2 * side * off(at))) / count;
    }
  }
  return loss;
}
