/** What a file of losses/ must offer: a part of the stage `train`. */
import * as tf from "@tensorflow/tfjs-core";
import type { PartDefinition } from "../../runner/stage.ts";
import type { Random } from "../shared/random.ts";
import { type Batch, type Given, positivePairs, type Scored, squaredDistances } from "./batch.ts";
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
  /** Pairs or triplets selected, and those with a loss above 0. */
  selected: number;
  active: number;
  /** In selecting and scoring, the distances included. */
  selectSeconds: number;
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
  selects: "triplets" | "pairs" | "nothing";
  start(setup: LossSetup): LossRun;
}

/**
 * A loss that is a function of the batch's squared distances. Scored in typed arrays; autodiff sees one op whose
 * gradient with respect to the embeddings is the Laplacian of dloss/dsquared times the embeddings: for
 * G = gradient + its transpose, dL/de_i = 2 Σ_j G_ij (e_i - e_j). No pair or triplet is ever a tensor.
 */
export function distanceLoss(
  score: (batch: Batch, params: Record<string, unknown>, given: Given) => Scored,
): Pick<LossRun, "loss" | "counters"> {
  const counters: Counters = { selected: 0, active: 0, selectSeconds: 0 };
  return {
    counters,
    loss(embeddings, labels, params, given = {}) {
      const op = tf.customGrad((x, save) => {
        const e = x as tf.Tensor2D;
        const size = e.shape[0];
        (save as tf.GradSaveFunc)([e]);
        const gram = tf.tidy(() => tf.matMul(e, tf.transpose(e)));
        const products = gram.dataSync() as Float32Array;
        gram.dispose();
        const began = performance.now();
        const batch: Batch = {
          size,
          labels,
          squared: squaredDistances(products, size),
          positives: positivePairs(labels),
        };
        const scored = score(batch, params, given);
        counters.selected += scored.count;
        counters.active += scored.active;
        const laplacian = new Float32Array(size * size);
        for (let i = 0; i < size; i++)
          for (let j = i + 1; j < size; j++) {
            const weight = 2 * (scored.gradient[i * size + j] + scored.gradient[j * size + i]);
            if (weight === 0) continue;
            laplacian[i * size + j] = laplacian[j * size + i] = -weight;
            laplacian[i * size + i] += weight;
            laplacian[j * size + j] += weight;
          }
        counters.selectSeconds += (performance.now() - began) / 1000;
        const matrix = tf.tensor2d(laplacian, [size, size]);
        return {
          value: tf.scalar(scored.loss),
          gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
            tf.mul(tf.matMul(matrix, saved[0] as tf.Tensor2D), dy),
        };
      });
      return op(embeddings) as tf.Scalar;
    },
  };
}
