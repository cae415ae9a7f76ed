/**
 * Circle loss: each pair is weighted by how far it is from its optimum.
 *
 * The weights a are taken as constants by the gradient. The loss is the mean over the anchors that have a positive and a
 * negative.
 *
 * @equation
 * s = cosine; a_p = max(0, 1 + m - s_ap), a_n = max(0, s_an + m)
 * mean over anchors of  log(1 + Σ_n exp(gamma a_n (s_an - m)) · Σ_p exp(-gamma a_p (s_ap - 1 + m)))
 * @when Whole batches should be used without a selector, and pairs that are still wrong should count most. The defaults
 * are those of the paper for retrieval.
 * @source Sun, Cheng, Zhang, Zhang, Zheng, Wang & Wei 2020, "Circle loss: A unified perspective of pair similarity
 * optimization" (O_p = 1 + m, O_n = -m, Delta_p = 1 - m, Delta_n = m)
 */
import { cosineLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logSum } from "../scoring/logsum.ts";
import { logistic, softplus } from "../scoring/softplus.ts";
import { mean } from "../scoring/tuples.ts";

export default cosineLoss({
  params: {
    m: scheduled({ default: 0.4, minimum: -1, maximum: 1, description: "relaxation, in cosines" }),
    gamma: scheduled({ default: 80, exclusiveMinimum: 0, description: "scale" }),
  },
  score,
});

function score(
  { anchors, size, members, negatives }: Batch,
  cosines: Float32Array,
  { m, gamma }: { m: number; gamma: number },
): Scored {
  const gradient = new Float32Array(anchors * size);
  const near = new Float64Array(size);
  const far = new Float64Array(size);
  let loss = 0;
  let count = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const own = members[anchor];
    const others = negatives[anchor];
    if (own.length < 2 || others.length === 0) continue;
    const row = anchor * size;
    let positives = 0;
    for (const j of own)
      if (j !== anchor) {
        const cosine = cosines[row + j];
        near[positives++] = -gamma * Math.max(0, 1 + m - cosine) * (cosine - 1 + m);
      }
    for (let k = 0; k < others.length; k++) {
      const cosine = cosines[row + others[k]];
      far[k] = gamma * Math.max(0, cosine + m) * (cosine - m);
    }
    const sum = logSum(near, positives) + logSum(far, others.length);
    const slope = logistic(sum);
    loss += softplus(sum);
    count++;
    let k = 0;
    for (const j of own)
      if (j !== anchor)
        gradient[row + j] = -slope * near[k++] * gamma * Math.max(0, 1 + m - cosines[row + j]);
    for (let k = 0; k < others.length; k++)
      gradient[row + others[k]] = slope * far[k] * gamma * Math.max(0, cosines[row + others[k]] + m);
  }
  return mean(gradient, loss, count, count);
}
