/** Class weights on the unit sphere: what softmax losses with margins, proxies and centres are made of. */
import * as tf from "@tensorflow/tfjs-core";
import type { ParamSchemas, ParamsOf } from "../../../runner/stage.ts";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { checkLabels, defineLoss, type Loss, noCounts, notFinite } from "../loss.ts";
import { matrixLoss } from "../scoring/ops.ts";
import { crossEntropy } from "./classifier.ts";

/** The result of a loss of cosines on a batch. */
export interface ScoredCosines {
  loss: number;
  /** dloss / dcosine `[batch, columns]` */
  gradient: Float32Array;
  /** Images whose class has the largest score; absent for a loss that classifies nothing. */
  correct?: number;
}

/** A loss of cosines as {@link weightLoss} takes it. */
export interface WeightLossSpec<S extends ParamSchemas> {
  params?: S;
  /** Weights of each class, next to each other; default 1. @param params as given */
  perClass?(params: Record<string, unknown>): number;
  /** @param cosines of images and weights, `[batch, classes * perClass]` */
  score(cosines: Float32Array, labels: Int32Array, classes: number, params: ParamsOf<S>): ScoredCosines;
  /** Added to the loss: what the weights themselves cost. @param weights of length 1, `[classes * perClass, dim]` */
  regulariser?(weights: tf.Tensor2D, classes: number, params: ParamsOf<S>): tf.Scalar | undefined;
}

/** Declares a loss of the cosines of images and class weights, which train with the network. */
export function weightLoss<const S extends ParamSchemas>(spec: WeightLossSpec<S>): Loss<ParamsOf<S>> {
  return defineLoss<S>({
    params: spec.params,
    normalise: true,
    selects: "nothing",
    start({ dim, classes, random, params: given }) {
      const columns = classes * (spec.perClass?.(given) ?? 1);
      const first = Float32Array.from({ length: columns * dim }, () => random.normal());
      const weights = tf.variable(tf.tensor2d(first, [columns, dim]));
      const counters = noCounts();
      return {
        variables: [weights],
        counters,
        loss(embeddings, labels, params) {
          checkLabels(labels, classes);
          const unit = normaliseRows(weights as tf.Tensor2D);
          const cosines = tf.matMul(embeddings, tf.transpose(unit)) as tf.Tensor2D;
          const loss = matrixLoss(cosines, counters, (values) => {
            const scored = spec.score(values, labels, classes, params);
            if (!Number.isFinite(scored.loss)) throw notFinite("the cosines of images and weights are");
            if (scored.correct !== undefined) counters.correct = (counters.correct ?? 0) + scored.correct;
            return scored;
          });
          const cost = spec.regulariser?.(unit, classes, params);
          return cost ? (tf.add(loss, cost) as tf.Scalar) : loss;
        },
      };
    },
  });
}

/** The score that replaces the cosine of an image and its own class, and its slope, written by `at`. */
export interface OwnScore {
  score: number;
  slope: number;
  at(cosine: number): void;
}

/**
 * Cross-entropy of `scale` times the cosines, that of the own class replaced.
 * @param cosines `[batch, classes]`
 */
export function marginCrossEntropy(
  cosines: Float32Array,
  labels: Int32Array,
  classes: number,
  scale: number,
  own: OwnScore,
): ScoredCosines {
  const logits = cosines.map((cosine) => scale * cosine);
  const slopes = new Float64Array(labels.length);
  for (const [i, label] of labels.entries()) {
    own.at(cosines[i * classes + label]);
    logits[i * classes + label] = scale * own.score;
    slopes[i] = own.slope;
  }
  const { loss, gradient, correct } = crossEntropy(logits, labels, classes);
  for (let at = 0; at < gradient.length; at++) gradient[at] *= scale;
  for (const [i, label] of labels.entries()) gradient[i * classes + label] *= slopes[i];
  return { loss, gradient, correct };
}

/** Below this sine the slope of a changed angle is cut: at angle 0 it has none. */
const LEAST_SINE = 1e-6;

/**
 * cos(angle + margin); where that angle passes 180 degrees, cos(angle) - margin sin(margin), so that it keeps falling
 * (Deng, Guo, Xue & Zafeiriou 2019, the authors' code).
 * @param degrees the margin
 */
export function angularMargin(degrees: number): OwnScore {
  const margin = (degrees * Math.PI) / 180;
  return {
    score: 0,
    slope: 0,
    at(cosine) {
      const cut = Math.max(-1, Math.min(1, cosine));
      const angle = Math.acos(cut);
      if (angle + margin > Math.PI) {
        this.score = cosine - margin * Math.sin(margin);
        this.slope = 1;
        return;
      }
      this.score = Math.cos(angle + margin);
      this.slope = Math.sin(angle + margin) / Math.max(LEAST_SINE, Math.sqrt(1 - cut * cut));
    },
  };
}

/**
 * The largest cosine of each class, and the loss of these.
 * @param cosines `[batch, classes * perClass]`
 * @param score of the largest, `[batch, classes]`
 */
export function scoreLargest(
  cosines: Float32Array,
  classes: number,
  batch: number,
  score: (largest: Float32Array) => ScoredCosines,
): ScoredCosines {
  const perClass = cosines.length / batch / classes;
  const places = new Int32Array(batch * classes);
  for (let at = 0; at < places.length; at++) {
    let best = at * perClass;
    for (let k = 1; k < perClass; k++)
      if (cosines[at * perClass + k] > cosines[best]) best = at * perClass + k;
    places[at] = best;
  }
  const scored = score(Float32Array.from(places, (place) => cosines[place]));
  const gradient = new Float32Array(cosines.length);
  for (const [at, place] of places.entries()) gradient[place] = scored.gradient[at];
  return { ...scored, gradient };
}
