/**
 * Neighbourhood components analysis: an image picks a neighbour of its class.
 *
 * The loss is the mean over the anchors that have a positive.
 *
 * @equation
 * unit sphere; mean over anchors of
 *     -log(Σ_p exp(-scale |a-p|²) / Σ_{j ≠ a} exp(-scale |a-j|²))
 * @when Nearest neighbours should be right, but a class may lie in several places: unlike supcon, one near positive is
 * enough.
 * @source Goldberger, Roweis, Hinton & Salakhutdinov 2004, "Neighbourhood components analysis", with the logarithm of
 * section 2
 */
import { batchLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logSum } from "../scoring/logsum.ts";
import { mean } from "../scoring/tuples.ts";

export default batchLoss({
  normalise: true,
  params: {
    scale: scheduled({ default: 1, exclusiveMinimum: 0, description: "of the squared distances" }),
  },
  score,
});

function score({ anchors, size, squared, members }: Batch, { scale }: { scale: number }): Scored {
  const gradient = new Float32Array(anchors * size);
  const every = new Float64Array(size);
  const near = new Float64Array(size);
  let loss = 0;
  let count = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const own = members[anchor].filter((j) => j !== anchor);
    if (own.length === 0) continue;
    count++;
    const row = anchor * size;
    for (let j = 0; j < size; j++)
      every[j] = j === anchor ? Number.NEGATIVE_INFINITY : -scale * squared[row + j];
    for (let k = 0; k < own.length; k++) near[k] = -scale * squared[row + own[k]];
    loss += logSum(every, size) - logSum(near, own.length);
    for (let j = 0; j < size; j++) gradient[row + j] -= scale * every[j];
    for (let k = 0; k < own.length; k++) gradient[row + own[k]] += scale * near[k];
  }
  return mean(gradient, loss, count, count);
}
