/** The vectors of a map, scaled so that their Euclidean distance orders them as the distance of the params. */
import type { Points } from "./neighbours.ts";

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
