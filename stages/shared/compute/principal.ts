/** The directions in which vectors vary most. */
import * as tf from "@tensorflow/tfjs-core";
import { EigenvalueDecomposition, Matrix, QrDecomposition } from "ml-matrix";
import { UserError } from "../../../runner/stage.ts";
import type { Random } from "./random.ts";

/** Directions beyond those that are wanted: they make the iteration converge where eigenvalues lie close. */
const SPARE = 10;
const ITERATIONS = 12;
/** Vectors that go through one matrix product. */
const BLOCK = 2000;

/** Vectors, row by row in one array. */
export interface Rows {
  /** `[rows, dim]`, row-major */
  values: Float32Array;
  rows: number;
  dim: number;
}

export interface Principal {
  /** `[dim]` */
  mean: Float64Array;
  /** `[dim, count]`: one direction of length 1 a column, the largest variance first. */
  directions: Matrix;
}

/** The mean of the rows, `[dim]`. */
export function meanOf({ values, rows, dim }: Rows): Float64Array {
  const mean = new Float64Array(dim);
  for (let row = 0, at = 0; row < rows; row++) for (let d = 0; d < dim; d++, at++) mean[d] += values[at];
  return mean.map((sum) => sum / rows);
}

/** The covariance `[dim, dim]`, as a tensor. */
function covarianceOf({ values, rows, dim }: Rows, mean: Float64Array): tf.Tensor2D {
  return tf.tidy(() => {
    const centre = tf.tensor1d(Float32Array.from(mean));
    let sum = tf.zeros([dim, dim]) as tf.Tensor2D;
    for (let first = 0; first < rows; first += BLOCK) {
      const count = Math.min(BLOCK, rows - first);
      const next = tf.tidy(() => {
        const block = tf.tensor2d(values.subarray(first * dim, (first + count) * dim), [count, dim]);
        const x = tf.sub(block, centre) as tf.Tensor2D;
        return tf.add(sum, tf.matMul(tf.transpose(x), x)) as tf.Tensor2D;
      });
      sum.dispose();
      sum = next;
    }
    return tf.div(sum, rows) as tf.Tensor2D;
  });
}

/**
 * The first principal components, by subspace iteration on the covariance (Halko, Martinsson & Tropp 2011,
 * algorithm 4.4) and a Rayleigh-Ritz step. The sign of a direction is that which makes its largest entry positive,
 * so that it does not hang on where the iteration began.
 * @throws UserError when there are fewer dimensions than directions wanted
 */
export function principalDirections(sample: Rows, count: number, random: Random): Principal {
  const { dim } = sample;
  if (count > dim)
    throw new UserError(
      `encode: ${count} principal directions were asked for, but the vectors have ${dim} values. Take at most ${dim} bits, or the binariser lsh.`,
    );
  const mean = meanOf(sample);
  const width = Math.min(dim, count + SPARE);
  const covariance = covarianceOf(sample, mean);
  const times = (basis: Matrix): Matrix => {
    const product = tf.tidy(() => {
      const flat = Float32Array.from(basis.to1DArray());
      return tf.matMul(covariance, tf.tensor2d(flat, [dim, width]));
    });
    const result = Matrix.from1DArray(dim, width, Array.from(product.dataSync()));
    product.dispose();
    return result;
  };
  let basis = new Matrix(dim, width);
  for (let i = 0; i < dim; i++) for (let j = 0; j < width; j++) basis.set(i, j, random.normal());
  for (let i = 0; i < ITERATIONS; i++) basis = new QrDecomposition(times(basis)).orthogonalMatrix;
  const small = basis.transpose().mmul(times(basis));
  // Rounding leaves the small matrix a little unsymmetrical.
  const symmetric = small.clone().add(small.transpose()).mul(0.5);
  const { eigenvectorMatrix } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  covariance.dispose();
  // Eigenvalues come ascending.
  const order = Array.from({ length: count }, (_, i) => width - 1 - i);
  const directions = basis.mmul(eigenvectorMatrix.subMatrixColumn(order));
  for (let j = 0; j < count; j++) {
    const column = directions.getColumn(j);
    const largest = column.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    if (largest < 0) directions.mulColumn(j, -1);
  }
  return { mean, directions };
}
