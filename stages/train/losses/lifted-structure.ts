/**
 * Lifted structured loss: each pair against the negatives of both images.
 *
 * @equation
 * d = distance on the unit sphere; mean over positive pairs i, j of  max(0, J_ij)² / 2
 * J_ij = log(Σ over negatives n of i exp(margin - d_in) + Σ over negatives n of j exp(margin - d_jn)) + d_ij
 * @when Whole batches should be used without a selector; a published baseline. The generalised form is faster and
 * usually better.
 * @source Song, Xiang, Jegelka & Savarese 2016, "Deep metric learning via lifted structured feature embedding"
 */
import { euclideanLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { mean } from "../scoring/tuples.ts";

export default euclideanLoss({
  memory: false,
  params: {
    margin: scheduled({ default: 1, exclusiveMinimum: 0, description: "alpha, a distance" }),
  },
  score,
});

/** The sum of a pair's negatives is the sum of its two rows': a pair costs no exponential of its own. */
function score(
  { size, negatives, positives }: Batch,
  distances: Float32Array,
  { margin }: { margin: number },
): Scored {
  const gradient = new Float32Array(size * size);
  const grown = new Float64Array(size * size);
  const sums = new Float64Array(size);
  for (let i = 0; i < size; i++)
    for (const n of negatives[i]) sums[i] += grown[i * size + n] = Math.exp(margin - distances[i * size + n]);
  const pushes = new Float64Array(size);
  let loss = 0;
  let active = 0;
  for (let pair = 0; pair < positives.count; pair++) {
    const [i, j] = [positives.first[pair], positives.second[pair]];
    const sum = sums[i] + sums[j];
    const missing = Math.log(sum) + distances[i * size + j];
    if (sum === 0 || missing <= 0) continue;
    active++;
    loss += (missing * missing) / 2;
    gradient[i * size + j] += missing;
    pushes[i] += missing / sum;
    pushes[j] += missing / sum;
  }
  for (let i = 0; i < size; i++)
    for (const n of negatives[i]) gradient[i * size + n] -= pushes[i] * grown[i * size + n];
  return mean(gradient, loss, positives.count, active);
}
