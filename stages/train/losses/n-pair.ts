/**
 * N-pair loss: one pair of each class against the positives of all other classes.
 *
 * The first two images of a class in the batch are its pair; batches are drawn at random. Embeddings keep their lengths,
 * and lambda bounds them.
 *
 * @equation
 * mean over classes of  -log(exp(a·p) / Σ over the pairs' positives q exp(a·q))
 *     + lambda / 4 · mean over pairs of |a|² + |p|²
 * @when The classes are many and few images of each are in the batch. The images of a class beyond two are not used.
 * @source Sohn 2016, "Improved deep metric learning with multi-class N-pair loss objective"
 */
import { defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logSum } from "../scoring/logsum.ts";
import { gramLoss } from "../scoring/ops.ts";

export default defineLoss({
  normalise: false,
  selects: "nothing",
  params: {
    lambda: scheduled({ default: 0.002, minimum: 0, description: "weight of the squared lengths" }),
  },
  start: () => ({ ...gramLoss(score), variables: [] }),
});

function score({ size, members }: Batch, gram: Float32Array, { lambda }: { lambda: number }): Scored {
  const gradient = new Float32Array(size * size);
  const pairs = members.flatMap((own, i) => (own.length > 1 && own[0] === i ? [[i, own[1]]] : []));
  const count = pairs.length;
  const scores = new Float64Array(count);
  let loss = 0;
  for (const [own, [anchor, positive]] of pairs.entries()) {
    const row = anchor * size;
    for (let k = 0; k < count; k++) scores[k] = gram[row + pairs[k][1]];
    loss += (logSum(scores, count) - gram[row + positive]) / count;
    for (let k = 0; k < count; k++) gradient[row + pairs[k][1]] += (scores[k] - Number(k === own)) / count;
    for (const at of [row + anchor, positive * size + positive]) {
      loss += (lambda * gram[at]) / 4 / count;
      gradient[at] += lambda / 4 / count;
    }
  }
  return { loss, gradient, count, active: count };
}
