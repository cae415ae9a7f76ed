/**
 * Normalised temperature-scaled cross-entropy of each positive pair.
 *
 * A pair is compared with the negatives of the anchor. Unlike supcon, the other positives are not in the denominator.
 * The loss is the mean over ordered positive pairs.
 *
 * @equation
 * s = cosine; mean over pairs a, p of
 *     -log(exp(s_ap / temperature) / (exp(s_ap / temperature) + Σ_n exp(s_an / temperature)))
 * @when Whole batches should be used with neither a margin nor a selector, and an image should not be pushed away from
 * other images of its class. Compare it with supcon.
 * @source Chen, Kornblith, Norouzi & Hinton 2020, "A simple framework for contrastive learning of visual
 * representations"; with labels as pytorch-metric-learning's NTXentLoss
 */
import { cosineLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logSum } from "../scoring/logsum.ts";
import { logistic, softplus } from "../scoring/softplus.ts";
import { mean } from "../scoring/tuples.ts";

export default cosineLoss({
  params: {
    temperature: scheduled({ default: 0.07, exclusiveMinimum: 0, description: "tau" }),
  },
  score,
});

function score(
  { anchors, size, members, negatives }: Batch,
  cosines: Float32Array,
  { temperature }: { temperature: number },
): Scored {
  const gradient = new Float32Array(anchors * size);
  const far = new Float64Array(size);
  let loss = 0;
  let pairs = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    if (members[anchor].length < 2) continue;
    const row = anchor * size;
    const others = negatives[anchor];
    for (let k = 0; k < others.length; k++) far[k] = cosines[row + others[k]] / temperature;
    const sum = logSum(far, others.length);
    let pull = 0;
    for (const j of members[anchor]) {
      if (j === anchor) continue;
      const missing = sum - cosines[row + j] / temperature;
      const slope = logistic(missing) / temperature;
      loss += softplus(missing);
      gradient[row + j] = -slope;
      pull += slope;
      pairs++;
    }
    for (let k = 0; k < others.length; k++) gradient[row + others[k]] = pull * far[k];
  }
  return mean(gradient, loss, pairs, pairs);
}
