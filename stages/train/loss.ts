/** What a file of losses/ must offer: a part of the stage `train`. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients of tfjs-core
import { type PartDefinition, UserError } from "../../runner/stage.ts";
import type { Random } from "../shared/compute/random.ts";
import {
  type Batch,
  batchOf,
  forUpperTiles,
  type Given,
  type Scored,
  squaredDistances,
} from "./scoring/batch.ts";
import type { PairSelector, TripletSelector } from "./selector.ts";

/** What a loss is given once, before the first step. */
export interface LossSetup {
  dim: number;
  classes: number;
  /** For the loss's own weights, where it has some. */
  random: Random;
  /** Chooses the pairs or triplets; given when the loss {@link Loss.selects} some and no sampler gives them. */
  selector?: { part: TripletSelector | PairSelector; params: Record<string, unknown>; random: Random };
}

/** What happened in the steps so far. */
export interface Counters {
  /** Pairs or triplets of images selected, and those with a loss above 0; 0 where the loss is made of neither. */
  selected: number;
  active: number;
  /** In selecting and scoring, the distances included. */
  selectSeconds: number;
  /** Images that the loss's own classifier put into the right class; absent where it has no classifier. */
  correct?: number;
}

/** A loss at work. */
export interface LossRun {
  /** Weights of its own that train with the network: a classifier, proxies. */
  variables: tf.Variable[];
  counters: Counters;
  /**
   * The loss of one batch, with its gradient.
   * @param embeddings `[batch, dim]`
   * @param labels `[batch]`
   * @param params of this step: schedules are resolved
   * @param given pairs or triplets that the sampler put together: they stand in for a selector's
   */
  loss(
    embeddings: tf.Tensor2D,
    labels: Int32Array,
    params: Record<string, unknown>,
    given?: Given,
  ): tf.Scalar;
}

/** A loss. */
export interface Loss extends PartDefinition {
  /** Whether the embeddings are brought onto the unit sphere. */
  normalise: boolean;
  /** Its embeddings are meant for their signs: validation ranks sign codes. */
  codes?: boolean;
  selects: "triplets" | "pairs" | "nothing";
  start(setup: LossSetup): LossRun;
}

/** Counters at 0. */
export const noCounts = (): Counters => ({ selected: 0, active: 0, selectSeconds: 0 });

/**
 * A loss that is a function of the batch's squared distances. Scored in typed arrays; autodiff sees one op whose
 * gradient with respect to the embeddings is the Laplacian of dloss/dsquared times the embeddings: for
 * G = gradient + its transpose, dL/de_i = 2 Σ_j G_ij (e_i - e_j). No pair or triplet is ever a tensor.
 */
export function distanceLoss(
  score: (batch: Batch, params: Record<string, unknown>, given: Given) => Scored,
): Pick<LossRun, "loss" | "counters"> {
  return batchLoss((batch, _, params, given) => score(batch, params, given), laplacianOf);
}

/**
 * A loss that is a function of the embeddings' inner products. As {@link distanceLoss}; the gradient with respect to
 * the embeddings is dloss/dgram + its transpose, times the embeddings.
 * @param score is given the inner products `[size, size]` after the batch; its gradient is dloss/dgram
 */
export function gramLoss(
  score: (batch: Batch, gram: Float32Array, params: Record<string, unknown>, given: Given) => Scored,
): Pick<LossRun, "loss" | "counters"> {
  return batchLoss(score, withTranspose);
}

/** @param matrixOf makes of the score's gradient the matrix that takes the embeddings to theirs */
function batchLoss(
  score: (batch: Batch, gram: Float32Array, params: Record<string, unknown>, given: Given) => Scored,
  matrixOf: (gradient: Float32Array, size: number) => Float32Array,
): Pick<LossRun, "loss" | "counters"> {
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
        const scored = score(batchOf(labels, squared, dim), gram, params, given);
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
 * is worked out in typed arrays, and autodiff sees one op.
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

/** @throws UserError when a row's squared length is NaN or infinite: a NaN must not travel on in silence */
function checkFinite(gram: Float32Array, size: number): void {
  let broken = 0;
  for (let i = 0; i < size; i++) if (!Number.isFinite(gram[i * size + i])) broken++;
  if (broken > 0) throw notFinite(`${broken} of the batch's ${size} embeddings are`);
}

/** What a NaN or an infinity in the embeddings is answered with. */
export function notFinite(what: string): UserError {
  return new UserError(
    `train: ${what} NaN or infinite. Look for such values in the features, or lower the learning rate.`,
  );
}

/** @throws UserError when a label is no class: it would have no weights */
export function checkLabels(labels: Int32Array, classes: number): void {
  for (const label of labels)
    if (label < 0 || label >= classes)
      throw new UserError(
        `train: a label is ${label}, but there are ${classes} classes (0 to ${classes - 1}). Correct the data set.`,
      );
}
