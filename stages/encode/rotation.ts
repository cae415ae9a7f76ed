/** Random rotations, and projections put together from matrices. */
import { Matrix, QrDecomposition } from "ml-matrix";
import type { Projection } from "../shared/artifacts/projection.ts";
import type { Random } from "../shared/compute/random.ts";

/**
 * Orthonormal columns, uniformly distributed: the Q of a matrix of normal draws, with the signs that make R's
 * diagonal positive (Stewart 1980).
 * @param rows at least `columns`
 */
export function randomRotation(rows: number, columns: number, random: Random): Matrix {
  const draws = new Matrix(rows, columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) draws.set(i, j, random.normal());
  const { orthogonalMatrix, upperTriangularMatrix } = new QrDecomposition(draws);
  for (let j = 0; j < columns; j++)
    if (upperTriangularMatrix.get(j, j) < 0) orthogonalMatrix.mulColumn(j, -1);
  return orthogonalMatrix;
}

/**
 * The projection x → directionsᵀ (x - mean).
 * @param directions `[dim, bits]`
 * @param mean `[dim]`
 */
export function centred(directions: Matrix, mean: Float64Array): Projection {
  const [dim, bits] = [directions.rows, directions.columns];
  const weights = new Float32Array(bits * dim);
  const offset = new Float32Array(bits);
  for (let bit = 0; bit < bits; bit++) {
    let shift = 0;
    for (let d = 0; d < dim; d++) {
      weights[bit * dim + d] = directions.get(d, bit);
      shift -= directions.get(d, bit) * mean[d];
    }
    offset[bit] = shift;
  }
  return { weights, offset, bits, dim };
}
