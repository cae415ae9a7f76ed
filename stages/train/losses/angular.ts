/**
 * Angular loss in its N-pair form: the angle at the negative is bounded.
 *
 * @equation
 * unit vectors; mean over pairs a, p of
 *     log(1 + Σ_n exp(4 tan²(alpha) (a + p)·n - 2 (1 + tan²(alpha)) a·p))
 * @when Whole batches should be used without a selector, and classes differ in spread: an angle does not depend on the
 * scale of distances.
 * @source Wang, Zhou, Wen, Liu & Lin 2017, "Deep metric learning with angular loss"
 */
import { cosineLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { logistic, softplus } from "../scoring/softplus.ts";
import { mean } from "../scoring/tuples.ts";

export default cosineLoss({
  several: false,
  memory: false,
  params: {
    alpha: scheduled({
      default: 40,
      exclusiveMinimum: 0,
      maximum: 85,
      description: "upper bound of the angle at the negative, in degrees",
    }),
  },
  score,
});

/**
 * exp(4 tan² (a + p)·n) is a product of one factor of a and one of p: a pair's sum over its negatives is an inner
 * product of two rows, without an exponential of its own. Pairs count once: (a, p) and (p, a) have the same loss.
 */
function score(
  { size, negatives, positives }: Batch,
  cosines: Float32Array,
  { alpha }: { alpha: number },
): Scored {
  const tangent = Math.tan((alpha * Math.PI) / 180) ** 2;
  const gradient = new Float32Array(size * size);
  const grown = new Float64Array(size * size);
  const most = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const row = i * size;
    most[i] = negatives[i].reduce((high, n) => Math.max(high, cosines[row + n]), -1);
    for (const n of negatives[i]) grown[row + n] = Math.exp(4 * tangent * (cosines[row + n] - most[i]));
  }
  let loss = 0;
  for (let pair = 0; pair < positives.count; pair++) {
    const [a, p] = [positives.first[pair], positives.second[pair]];
    const [rowA, rowP] = [a * size, p * size];
    const others = negatives[a];
    let sum = 0;
    for (let k = 0; k < others.length; k++) sum += grown[rowA + others[k]] * grown[rowP + others[k]];
    if (sum === 0) continue;
    const missing = Math.log(sum) + 4 * tangent * (most[a] + most[p]) - 2 * (1 + tangent) * cosines[rowA + p];
    const slope = logistic(missing);
    loss += softplus(missing);
    gradient[rowA + p] -= 2 * (1 + tangent) * slope;
    const push = (4 * tangent * slope) / sum;
    for (let k = 0; k < others.length; k++) {
      const pushed = push * grown[rowA + others[k]] * grown[rowP + others[k]];
      gradient[rowA + others[k]] += pushed;
      gradient[rowP + others[k]] += pushed;
    }
  }
  return mean(gradient, loss, positives.count, positives.count);
}
