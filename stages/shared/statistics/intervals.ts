/** A mean over repeated runs, and how far it can be off. */

/**
 * P(|T| <= t) of Student's t distribution with a whole number of degrees of freedom, by its finite series
 * (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).
 */
function within(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const cos2 = Math.cos(angle) ** 2;
  const odd = freedom % 2 === 1;
  let term = odd ? Math.cos(angle) : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= ((k - 1) / k) * cos2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

/**
 * The t at which P(|T| <= t) is `share`.
 * @param freedom degrees of freedom, a whole number from 1
 * @param share in (0, 1)
 */
export function studentQuantile(freedom: number, share: number): number {
  let low = 0;
  let high = 1;
  while (within(high, freedom) < share) high *= 2;
  for (let step = 0; step < 200 && low < high; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (within(middle, freedom) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** A mean with its interval; low and high are undefined where one run says nothing of the next. */
export interface MeanInterval {
  mean: number;
  low?: number;
  high?: number;
}

/** Mean of runs with its 95 % interval, mean ± t(n-1) s / sqrt(n): of the mean that many seeds would have. */
export function meanInterval(values: number[]): MeanInterval {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const reach = studentQuantile(n - 1, 0.95) * Math.sqrt(variance / n);
  return { mean, low: mean - reach, high: mean + reach };
}
