/** The vectors that a map is made of, so that their Euclidean distance is the one that was asked for. */
import type { Points } from "./neighbours.ts";

/** The mean of some rows, `[dim]`. */
export function meanOf(values: Float32Array, dim: number, rows: Uint32Array): Float64Array {
  const mean = new Float64Array(dim);
  for (const row of rows) for (let i = 0; i < dim; i++) mean[i] += values[row * dim + i] / rows.length;
  return mean;
}

/**
 * The rows of a table of vectors.
 * @param centre `[dim]`, taken off every vector first
 * @param unit bring every vector to length 1: Euclidean distances then order as cosines do
 */
export function take(
  values: Float32Array,
  dim: number,
  rows: Uint32Array,
  centre: Float64Array | undefined,
  unit: boolean,
): Points {
  const taken = new Float32Array(rows.length * dim);
  for (const [at, row] of rows.entries()) {
    const vector = taken.subarray(at * dim, (at + 1) * dim);
    for (let i = 0; i < dim; i++) vector[i] = values[row * dim + i] - (centre?.[i] ?? 0);
    if (!unit) continue;
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let i = 0; i < dim; i++) vector[i] /= length;
  }
  return { values: taken, rows: rows.length, dim };
}
