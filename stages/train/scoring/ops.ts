/** Losses as single ops of autodiff: computed in typed arrays, with a gradient of their own. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients of tfjs-core
import { type Counters, type LossRun, noCounts, notFinite } from "../loss.ts";
import { type Batch, batchOf, forUpperTiles, type Given, type Scored, squaredDistances } from "./batch.ts";

/** The part of a {@link LossRun} that scores a batch. */
export type Scoring<P> = Pick<LossRun<P>, "loss" | "counters">;

/**
 * A loss that is a function of the batch's squared distances. It is computed in typed arrays; autodiff sees one op whose
 * gradient with respect to the embeddings is the Laplacian of dloss/dsquared times the embeddings: for
 * G = gradient + its transpose, dL/de_i = 2 Σ_j G_ij (e_i - e_j). No pair or triplet is ever a tensor.
 */
export function distanceLoss<P>(score: (batch: Batch, params: P, given: Given) => Scored): Scoring<P> {
  return scoring((batch, _, params: P, given) => score(batch, params, given), laplacianOf);
}

/**
 * A loss that is a function of the embeddings' inner products. As {@link distanceLoss}; the gradient with respect to
 * the embeddings is dloss/dgram + its transpose, times the embeddings.
 * @param score is given the inner products `[size, size]` after the batch; its gradient is dloss/dgram
 */
export function gramLoss<P>(
  score: (batch: Batch, gram: Float32Array, params: P, given: Given) => Scored,
): Scoring<P> {
  return scoring(score, withTranspose);
}

/** @param matrixOf turns the score's gradient into the matrix whose product with the embeddings is theirs */
function scoring<P>(
  score: (batch: Batch, gram: Float32Array, params: P, given: Given) => Scored,
  matrixOf: (gradient: Float32Array, size: number) => Float32Array,
): Scoring<P> {
  const counters = noCounts();
  return {
    counters,
    loss(embeddings, labels, params, given = {}) {
      const op = tf.customGrad((x, save) => {
        const e = x as tf.Tensor2D;
        const [size, dim] = e.shape;
        (save as tf.GradSaveFunc)([e]);
        const rows = e.dataSync() as Float32Array;
        const gram = tf.matMul(e, tf.transpose(e)).dataSync() as Float32Array;
        const began = performance.now();
        checkFinite(gram, size);
        const squared = squaredDistances(gram, rows, size);
        const scored = score(batchOf(labels, squared, dim, given.labelSets), gram, params, given);
        counters.selected += scored.count;
        counters.active += scored.active;
        const matrix = matrixOf(scored.gradient, size);
        counters.selectSeconds += (performance.now() - began) / 1000;
        return {
          value: tf.scalar(scored.loss),
          gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
            tf.mul(tf.matMul(tf.tensor2d(matrix, [size, size]), saved[0] as tf.Tensor2D), dy),
        };
      });
      return op(embeddings) as tf.Scalar;
    },
  };
}

/**
 * A loss that is a function of a matrix of scores: images against classes or proxies. As {@link distanceLoss}, it
 * is computed in typed arrays, and autodiff sees one op.
 * @param matrix `[rows, columns]`
 * @param score returns the loss and dloss / dmatrix
 */
export function matrixLoss(
  matrix: tf.Tensor2D,
  counters: Counters,
  score: (values: Float32Array) => { loss: number; gradient: Float32Array },
): tf.Scalar {
  const op = tf.customGrad((x) => {
    const values = (x as tf.Tensor).dataSync() as Float32Array;
    const began = performance.now();
    const { loss, gradient } = score(values);
    counters.selectSeconds += (performance.now() - began) / 1000;
    return {
      value: tf.scalar(loss),
      gradFunc: (dy: tf.Tensor) => tf.mul(tf.tensor2d(gradient, matrix.shape), dy),
    };
  });
  return op(matrix) as tf.Scalar;
}

/** dloss / dembeddings = this matrix times the embeddings. @param gradient dloss / dsquared `[size, size]` */
export function laplacianOf(gradient: Float32Array, size: number): Float32Array {
  const laplacian = new Float32Array(size * size);
  const diagonal = new Float64Array(size);
  forUpperTiles(size, (i, from, to) => {
    let sum = 0;
    for (let j = from; j < to; j++) {
      const weight = 2 * (gradient[i * size + j] + gradient[j * size + i]);
      laplacian[i * size + j] = laplacian[j * size + i] = -weight;
      diagonal[j] += weight;
      sum += weight;
    }
    diagonal[i] += sum;
  });
  for (let i = 0; i < size; i++) laplacian[i * size + i] = diagonal[i];
  return laplacian;
}

/** A matrix plus its transpose `[size, size]`. */
function withTranspose(matrix: Float32Array, size: number): Float32Array {
  const sums = new Float32Array(size * size);
  for (let i = 0; i < size; i++) sums[i * size + i] = 2 * matrix[i * size + i];
  forUpperTiles(size, (i, from, to) => {
    for (let j = from; j < to; j++)
      sums[i * size + j] = sums[j * size + i] = matrix[i * size + j] + matrix[j * size + i];
  });
  return sums;
}

/** @throws UserError when a row's squared length is NaN or infinite: a NaN must not spread unnoticed */
function checkFinite(gram: Float32Array, size: number): void {
  let broken = 0;
  for (let i = 0; i < size; i++) if (!Number.isFinite(gram[i * size + i])) broken++;
  if (broken > 0) throw notFinite(`${broken} of the batch's ${size} embeddings are`);
}
