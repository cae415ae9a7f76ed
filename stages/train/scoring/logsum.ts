/** log(1 + Σ exp(x)), the soft form of max(0, x) that several losses use. */

/**
 * log(1 + Σ exp(x)) without an overflow.
 * @param x the first `count` of it; replaced by the slopes exp(x) / (1 + Σ exp(x))
 */
export function logOnePlusSum(x: Float64Array, count: number): number {
  let most = 0;
  for (let i = 0; i < count; i++) most = Math.max(most, x[i]);
  let sum = Math.exp(-most);
  for (let i = 0; i < count; i++) {
    x[i] = Math.exp(x[i] - most);
    sum += x[i];
  }
  for (let i = 0; i < count; i++) x[i] /= sum;
  return most + Math.log(sum);
}

/**
 * log Σ exp(x) without an overflow; -Infinity for no x.
 * @param x the first `count` of it; replaced by the slopes exp(x) / Σ exp(x)
 */
export function logSum(x: Float64Array, count: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) most = Math.max(most, x[i]);
  if (most === Number.NEGATIVE_INFINITY) return most;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    x[i] = Math.exp(x[i] - most);
    sum += x[i];
  }
  for (let i = 0; i < count; i++) x[i] /= sum;
  return most + Math.log(sum);
}
