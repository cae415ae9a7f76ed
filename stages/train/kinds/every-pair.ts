/** Losses of all pairs of a batch: a term of inner products or of squared distances, by whether two images are similar. */
import * as tf from "@tensorflow/tfjs-core";
import type { ParamSchemas, ParamsOf } from "../../../runner/stage.ts";
import { defineLoss, type Loss } from "../loss.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { distanceLoss, gramLoss } from "../scoring/ops.ts";

/** One pair's loss and its slope, written by `at`. */
export interface EveryPairTerm {
  loss: number;
  slope: number;
  /**
   * @param value inner product or squared distance
   * @param same whether the two share a label
   * @param similarity the cosine of their label vectors
   * @param place of the pair in a `[size, size]` matrix
   */
  at(value: number, same: boolean, similarity: number, place: number): void;
}

/** How a batch's ordered pairs divide, each image with itself included. */
export interface PairCounts {
  similar: number;
  dissimilar: number;
}

/** A loss of all pairs as {@link everyPairLoss} takes it. */
export interface EveryPairSpec<S extends ParamSchemas> {
  params?: S;
  /** The argument of a pair's term. */
  of: "inner products" | "squared distances";
  /** Transforms the outputs before they are compared; default the identity. @param outputs `[batch, bits]` */
  outputs?(outputs: tf.Tensor2D, params: ParamsOf<S>): tf.Tensor2D;
  /** @param outputs as they are compared, `[batch, bits]` */
  term(params: ParamsOf<S>, bits: number, counts: PairCounts, outputs: Float32Array): EveryPairTerm;
  /** Whether similar and dissimilar pairs weigh the same in all: each by all pairs over those of its kind. */
  balanced?: boolean;
  /** Added to the loss: what the outputs cost in themselves. @param outputs raw, `[batch, bits]` */
  cost?(outputs: tf.Tensor2D, params: ParamsOf<S>): tf.Scalar | undefined;
}

/** Declares a loss that is the mean over all ordered pairs of a batch, each image with itself included. */
export function everyPairLoss<const S extends ParamSchemas>(spec: EveryPairSpec<S>): Loss<ParamsOf<S>> {
  return defineLoss<S>({
    params: spec.params,
    normalise: false,
    codes: true,
    selects: "nothing",
    several: true,
    start() {
      let outputs: Float32Array = new Float32Array(0);
      const score = (batch: Batch, values: Float32Array, params: ParamsOf<S>): Scored => {
        const counts = countsOf(batch);
        const term = spec.term(params, batch.dim, counts, outputs);
        return scoreEvery(batch, values, term, counts, spec.balanced ?? false);
      };
      const scoring =
        spec.of === "inner products"
          ? gramLoss(score)
          : distanceLoss((batch, params: ParamsOf<S>) => score(batch, batch.squared, params));
      return {
        ...scoring,
        variables: [],
        loss(raw, labels, params, given) {
          const compared = spec.outputs?.(raw, params) ?? raw;
          outputs = compared.dataSync() as Float32Array;
          const loss = scoring.loss(compared, labels, params, given);
          const cost = spec.cost?.(raw, params);
          return cost ? (tf.add(loss, cost) as tf.Scalar) : loss;
        },
      };
    },
  });
}

function countsOf({ size, members }: Batch): PairCounts {
  const similar = members.reduce((count, own) => count + own.length, 0);
  return { similar, dissimilar: size * size - similar };
}

/** A term is symmetric: the pairs above the diagonal count twice. */
function scoreEvery(
  { size, similar, similarity }: Batch,
  values: Float32Array,
  term: EveryPairTerm,
  counts: PairCounts,
  balanced: boolean,
): Scored {
  const gradient = new Float32Array(size * size);
  const all = size * size;
  const weights = balanced
    ? { same: 1 / counts.similar, other: 1 / counts.dissimilar }
    : { same: 1 / all, other: 1 / all };
  let loss = 0;
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) {
      const place = i * size + j;
      const same = i === j || similar(i, j);
      const weight = (i === j ? 1 : 2) * (same ? weights.same : weights.other);
      term.at(values[place], same, i === j ? 1 : similarity(i, j), place);
      loss += weight * term.loss;
      gradient[place] = weight * term.slope;
    }
  return { loss, gradient, count: all, active: all };
}

/** log(1 + exp(scale · x)) - s scale · x: the likelihood that two images are similar, negated. */
export function pairLikelihood(scale: number): EveryPairTerm {
  return {
    loss: 0,
    slope: 0,
    at(inner, same) {
      // softplus(t) - t = softplus(-t)
      const side = same ? -scale : scale;
      const t = side * inner;
      this.loss = Math.max(0, t) + Math.log1p(Math.exp(-Math.abs(t)));
      this.slope = side / (1 + Math.exp(-t));
    },
  };
}

/** A mean over images and bits of a function of the outputs, by its weight; undefined where that is 0. */
export function meanCost(
  outputs: tf.Tensor2D,
  weight: number,
  cost: (outputs: tf.Tensor2D) => tf.Tensor,
): tf.Scalar | undefined {
  return weight === 0 ? undefined : (tf.mul(tf.mean(cost(outputs)), weight) as tf.Scalar);
}
