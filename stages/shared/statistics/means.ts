/** Means of curves and of vectors. */

/**
 * The mean of several series, place by place, as far as all of them go: after that the ones that stopped early
 * would make a step that no training made.
 */
export function meanSeries(series: ArrayLike<number>[]): number[] {
  const length = Math.min(...series.map((one) => one.length));
  return Array.from({ length }, (_, at) => series.reduce((sum, one) => sum + one[at], 0) / series.length);
}

/** The mean of some rows of `values` `[…, dim]`, `[dim]`. */
export function meanOfRows(values: Float32Array, dim: number, rows: Uint32Array): Float64Array {
  const mean = new Float64Array(dim);
  for (const row of rows) for (let d = 0; d < dim; d++) mean[d] += values[row * dim + d] / rows.length;
  return mean;
}
