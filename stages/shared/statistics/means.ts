/** Means of curves. */

/**
 * The mean of several series, place by place, as far as all of them go: after that the ones that stopped early
 * would make a step that no training made.
 */
export function meanSeries(series: ArrayLike<number>[]): number[] {
  const length = Math.min(...series.map((one) => one.length));
  return Array.from({ length }, (_, at) => series.reduce((sum, one) => sum + one[at], 0) / series.length);
}
