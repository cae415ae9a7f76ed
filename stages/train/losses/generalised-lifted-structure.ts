/**
 * Generalised lifted structured loss: anchors with all positives and negatives.
 *
 * The loss is the mean over the anchors that have both.
 *
 * @equation
 * d = distance on the unit sphere
 * mean over anchors of  max(0, log Σ_p exp(d_ap) + log Σ_n exp(margin - d_an))
 * @when Whole batches should be used without a selector, as a soft form of batch-hard: the logarithms of sums stand for
 * the farthest positive and the nearest negative.
 * @source Hermans, Beyer & Leibe 2017, "In defense of the triplet loss for person re-identification"
 */
import { euclideanLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logSum } from "../scoring/logsum.ts";
import { mean } from "../scoring/tuples.ts";

export default euclideanLoss({
  params: {
    margin: scheduled({ default: 1, exclusiveMinimum: 0, description: "m, a distance" }),
  },
  score,
});

function score(
  { anchors, size, members, negatives }: Batch,
  distances: Float32Array,
  { margin }: { margin: number },
): Scored {
  const gradient = new Float32Array(anchors * size);
  const near = new Float64Array(size);
  const far = new Float64Array(size);
  let loss = 0;
  let count = 0;
  let active = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const row = anchor * size;
    const others = negatives[anchor];
    const own = members[anchor].filter((j) => j !== anchor);
    if (own.length === 0 || others.length === 0) continue;
    count++;
    for (let k = 0; k < own.length; k++) near[k] = distances[row + own[k]];
    for (let k = 0; k < others.length; k++) far[k] = margin - distances[row + others[k]];
    const missing = logSum(near, own.length) + logSum(far, others.length);
    if (missing <= 0) continue;
    active++;
    loss += missing;
    for (let k = 0; k < own.length; k++) gradient[row + own[k]] = near[k];
    for (let k = 0; k < others.length; k++) gradient[row + others[k]] = -far[k];
  }
  return mean(gradient, loss, count, active);
}
