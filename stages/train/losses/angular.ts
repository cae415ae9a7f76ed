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
  { size, members, negatives, positives }: Batch,
  cosines: Float32Array,
  { alpha }: { alpha: number },
): Scored {
  const tangent = Math.tan((alpha * Math.PI) / 180) ** 2;
  const gradient = new Float32Array(size * size);
  let loss = 0;
  for (const [first, own] of members.entries())
    if (own[0] === first) loss += scoreClass(own, negatives[first], size, cosines, tangent, gradient);
  return mean(gradient, loss, positives.count, positives.count);
}

/**
 * The pairs of one class, which have the same negatives: with e_an = exp(4 tan² cos(a, n)), the sums of a pair are inner
 * products of rows of e, and the slopes of the negatives products with them.
 * @param gradient takes the slopes
 */
function scoreClass(
  own: Int32Array,
  others: Int32Array,
  size: number,
  cosines: Float32Array,
  tangent: number,
  gradient: Float32Array,
): number {
  const [count, width] = [own.length, others.length];
  if (width === 0) return 0;
  const grown = Array.from(own, () => new Float64Array(width));
  const pushed = Array.from(own, () => new Float64Array(width));
  const most = new Float64Array(count).fill(-1);
  for (const [a, i] of own.entries()) {
    for (let k = 0; k < width; k++) most[a] = Math.max(most[a], cosines[i * size + others[k]]);
    for (let k = 0; k < width; k++)
      grown[a][k] = Math.exp(4 * tangent * (cosines[i * size + others[k]] - most[a]));
  }
  let loss = 0;
  for (let a = 0; a < count; a++)
    for (let p = a + 1; p < count; p++) {
      const [e, f, pushA, pushP] = [grown[a], grown[p], pushed[a], pushed[p]];
      let sum = 0;
      for (let k = 0; k < width; k++) sum += e[k] * f[k];
      if (sum === 0) continue;
      const at = own[a] * size + own[p];
      const missing = Math.log(sum) + 4 * tangent * (most[a] + most[p]) - 2 * (1 + tangent) * cosines[at];
      const slope = logistic(missing);
      loss += softplus(missing);
      gradient[at] -= 2 * (1 + tangent) * slope;
      const push = (4 * tangent * slope) / sum;
      for (let k = 0; k < width; k++) {
        pushA[k] += push * f[k];
        pushP[k] += push * e[k];
      }
    }
  for (const [a, i] of own.entries())
    for (let k = 0; k < width; k++) gradient[i * size + others[k]] += pushed[a][k] * grown[a][k];
  return loss;
}
