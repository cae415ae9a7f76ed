/** Losses as single ops of autodiff: computed in typed arrays, with a gradient of their own. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients of tfjs-core
import { type Counters, type LossRun, noCounts, notFinite } from "../loss.ts";
import { type Batch, batchOf, forUpperTiles, type Given, type Scored, squaredDistances } from "./batch.ts";

import { type MemoryParams, memoryBank, memoryBatch, squaredToAll } from "./memory.ts";

/** The part of a {@link LossRun} that scores a batch. */
export type Scoring<P> = Pick<LossRun<P>, "loss" | "counters">;

/**
 * A loss that is a function of the batch's squared distances. It is computed in typed arrays; autodiff sees one op whose
 * gradient with respect to the embeddings is the Laplacian of dloss/dsquared times the embeddings: for
 * G = gradient + its transpose, dL/de_i = 2 Σ_j G_ij (e_i - e_j). No pair or triplet is ever a tensor.
 */
export function distanceLoss<P>(
  score: (batch: Batch, params: P, given: Given, rows: Float32Array) => Scored,
): Scoring<P> {
  return scoring((batch, _, params: P, given, rows) => score(batch, params, given, rows), {
    alone: laplacianOf,
    withMemory: pullsOf,
  });
}

/**
 * A loss that is a function of the embeddings' inner products. As {@link distanceLoss}; the gradient with respect to
 * the embeddings is dloss/dgram + its transpose, times the embeddings.
 * @param score is given the inner products `[anchors, size]` after the batch; its gradient is dloss/dgram;
 * and, last, the rows `[size, dim]`
 */
export function gramLoss<P>(
  score: (batch: Batch, gram: Float32Array, params: P, given: Given, rows: Float32Array) => Scored,
): Scoring<P> {
  return scoring(score, { alone: withTranspose, withMemory: withDiagonal });
}

/**
 * With the param `memory`, the batch is scored together with the memory's rows.
 * @param matrixOf turns the score's gradient into the matrix whose product with all rows is that of the embeddings
 */
function scoring<P>(
  score: (batch: Batch, gram: Float32Array, params: P, given: Given, rows: Float32Array) => Scored,
  matrixOf: Record<"alone" | "withMemory", (gradient: Float32Array, size: number) => Float32Array>,
): Scoring<P> {
  const counters = noCounts();
  const bank = memoryBank(counters);
  return {
    counters,
    loss(embeddings, labels, params, given = {}) {
      const { memory } = params as { memory?: MemoryParams };
      const op = tf.customGrad((x, save) => {
        const e = x as tf.Tensor2D;
        const [anchors, dim] = e.shape;
        const rows = e.dataSync() as Float32Array;
        const earlier = bank.enter(memory, rows, labels, given);
        const all = earlier?.count ? tf.concat([e, tf.tensor2d(earlier.rows, [earlier.count, dim])]) : e;
        const [size] = all.shape;
        (save as tf.GradSaveFunc)([all]);
        const gram = tf.matMul(e, tf.transpose(all)).dataSync() as Float32Array;
        const began = performance.now();
        checkFinite(gram, anchors, size);
        const everyRow = earlier?.count ? (all.dataSync() as Float32Array) : rows;
        const batch = earlier
          ? memoryBatch(
              { labels, labelSets: given.labelSets },
              earlier,
              squaredToAll(gram, everyRow, size),
              dim,
            )
          : batchOf(labels, squaredDistances(gram, rows, size), dim, given.labelSets);
        const scored = score(batch, gram, params, given, everyRow);
        counters.selected += scored.count;
        counters.active += scored.active;
        const matrix = matrixOf[earlier ? "withMemory" : "alone"](scored.gradient, size);
        counters.selectSeconds += (performance.now() - began) / 1000;
        return {
          value: tf.scalar(scored.loss),
          gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
            tf.mul(tf.matMul(tf.tensor2d(matrix, [anchors, size]), saved[0] as tf.Tensor2D), dy),
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

/**
 * As {@link laplacianOf}, where the partners are constants: dL/de_i = 2 Σ_j gradient_ij (e_i - e_j).
 * @param gradient dloss / dsquared `[anchors, size]`
 */
function pullsOf(gradient: Float32Array, size: number): Float32Array {
  const pulls = gradient.map((slope) => -2 * slope);
  for (let row = 0, i = 0; row < pulls.length; row += size, i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) if (j !== i) sum += 2 * gradient[row + j];
    pulls[row + i] = sum;
  }
  return pulls;
}

/** As {@link withTranspose}, where the partners are constants; an inner product with itself changes twice as fast. */
function withDiagonal(gradient: Float32Array, size: number): Float32Array {
  const slopes = gradient.slice();
  for (let at = 0; at < slopes.length; at += size + 1) slopes[at] *= 2;
  return slopes;
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
function checkFinite(gram: Float32Array, anchors: number, size: number): void {
  let broken = 0;
  for (let i = 0; i < anchors; i++) if (!Number.isFinite(gram[i * size + i])) broken++;
  if (broken > 0) throw notFinite(`${broken} of the batch's ${anchors} embeddings are`);
}
