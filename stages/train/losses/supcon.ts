/**
 * Supervised contrastive loss.
 *
 * Each anchor is compared with all its positives and with the whole batch. The loss is the mean over the anchors that
 * have a positive.
 *
 * @equation
 * s = cosine; mean over anchors a, mean over their positives p of
 *     -log(exp(s_ap / temperature) / Σ_{j ≠ a} exp(s_aj / temperature))
 * @when Whole batches should be used with neither a margin nor a selector to choose. The default temperature is a good
 * start.
 * @source Khosla, Teterwak, Wang, Sarna, Tian, Isola, Maschinot, Liu & Krishnan 2020, "Supervised contrastive
 * learning", equation 2 (L_out)
 */

import { batchLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";

export default batchLoss({
  normalise: true,
  params: {
    temperature: scheduled({ default: 0.1, exclusiveMinimum: 0, description: "tau" }),
  },
  score,
});

/** Counts the ordered positive pairs; each has a loss. */
function score({ anchors, size, squared, members }: Batch, { temperature }: { temperature: number }): Scored {
  const gradient = new Float32Array(anchors * size);
  const grown = new Float64Array(size);
  const paired = members.reduce((count, own) => count + Number(own.length > 1), 0);
  let loss = 0;
  let pairs = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const positives = members[anchor].length - 1;
    if (positives === 0) continue;
    const row = anchor * size;
    // On the unit sphere a cosine is 1 - |a-b|²/2; the nearest other row keeps exp in range.
    let nearest = Number.POSITIVE_INFINITY;
    for (let j = 0; j < size; j++) if (j !== anchor) nearest = Math.min(nearest, squared[row + j]);
    let sum = 0;
    for (let j = 0; j < size; j++) {
      grown[j] = j === anchor ? 0 : Math.exp((nearest - squared[row + j]) / (2 * temperature));
      sum += grown[j];
    }
    const slope = 1 / (2 * temperature * paired);
    for (let j = 0; j < size; j++) gradient[row + j] = (-slope * grown[j]) / sum;
    for (const j of members[anchor]) {
      if (j === anchor) continue;
      loss += (Math.log(sum) + (squared[row + j] - nearest) / (2 * temperature)) / positives / paired;
      gradient[row + j] += slope / positives;
    }
    pairs += positives;
  }
  return { loss, gradient, count: pairs, active: pairs };
}
