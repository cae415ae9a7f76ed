/** How sure a mean over queries is. */
import type { Estimate } from "../artifacts/metrics.ts";
import type { Random } from "../compute/random.ts";

const RESAMPLES = 1000;

/**
 * Means over queries with percentile bootstrap intervals (Efron & Tibshirani 1993, chapter 13): the queries are
 * resampled, the same draw for all columns.
 * @param columns one value a query, all of the same length
 */
export function estimates(columns: ArrayLike<number>[], random: Random): Estimate[] {
  const queries = columns[0].length;
  const means = columns.map(() => new Float64Array(RESAMPLES));
  const times = new Uint16Array(queries);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    times.fill(0);
    for (let i = 0; i < queries; i++) times[random.int(queries)]++;
    for (const [index, column] of columns.entries()) {
      let sum = 0;
      for (let i = 0; i < queries; i++) sum += times[i] * column[i];
      means[index][resample] = sum / queries;
    }
  }
  return columns.map((column, index) => {
    const sorted = means[index].sort();
    const at = (share: number) => sorted[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))];
    let sum = 0;
    for (let i = 0; i < queries; i++) sum += column[i];
    return { value: sum / queries, low: at(0.025), high: at(0.975) };
  });
}
