/** Losses of all pairs of a batch: a term of inner products or of squared distances, by whether two images are similar. */
import * as tf from "@tensorflow/tfjs-core";
import type { ParamSchemas, ParamsOf } from "../../../runner/stage.ts";
import { defineLoss, type Loss } from "../loss.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { memoryParam } from "../scoring/memory.ts";
import { distanceLoss, gramLoss } from "../scoring/ops.ts";

/** One pair's loss and its slope, written by `at`. */
export interface EveryPairTerm {
  loss: number;
  slope: number;
  /**
   * @param value inner product or squared distance
   * @param same whether the two share a label
   * @param similarity the cosine of their label vectors
   * @param place of the pair in an `[anchors, size]` matrix
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
  /** @param rows as they are compared, `[size, bits]`: the batch's outputs, then those of a memory */
  term(params: ParamsOf<S>, bits: number, counts: PairCounts, rows: Float32Array): EveryPairTerm;
  /** Whether similar and dissimilar pairs weigh the same in all: each by all pairs over those of its kind. */
  balanced?: boolean;
  /** Added to the loss: what the outputs cost in themselves. @param outputs raw, `[batch, bits]` */
  cost?(outputs: tf.Tensor2D, params: ParamsOf<S>): tf.Scalar | undefined;
}

/**
 * Declares a loss that is the mean over all ordered pairs of a batch, each image with itself included; with a memory over
 * each image with all rows.
 */
export function everyPairLoss<const S extends ParamSchemas>(spec: EveryPairSpec<S>): Loss<ParamsOf<S>> {
  return defineLoss<S>({
    params: { ...spec.params, ...memoryParam } as unknown as S,
    normalise: false,
    codes: true,
    selects: "nothing",
    several: true,
    start() {
      const score = (batch: Batch, values: Float32Array, params: ParamsOf<S>, rows: Float32Array): Scored => {
        const counts = countsOf(batch);
        const term = spec.term(params, batch.dim, counts, rows);
        return scoreEvery(batch, values, term, counts, spec.balanced ?? false);
      };
      const scoring =
        spec.of === "inner products"
          ? gramLoss((batch, gram, params: ParamsOf<S>, _, rows) => score(batch, gram, params, rows))
          : distanceLoss((batch, params: ParamsOf<S>, _, rows) => score(batch, batch.squared, params, rows));
      return {
        ...scoring,
        variables: [],
        loss(raw, labels, params, given) {
          const compared = spec.outputs?.(raw, params) ?? raw;
          const loss = scoring.loss(compared, labels, params, given);
          const cost = spec.cost?.(raw, params);
          return cost ? (tf.add(loss, cost) as tf.Scalar) : loss;
        },
      };
    },
  });
}

function countsOf({ size, anchors, members }: Batch): PairCounts {
  let similar = 0;
  for (let i = 0; i < anchors; i++) similar += members[i].length;
  return { similar, dissimilar: anchors * size - similar };
}

/** A term is symmetric: without a memory the pairs above the diagonal count twice. */
function scoreEvery(
  { size, anchors, memory, similar, similarity }: Batch,
  values: Float32Array,
  term: EveryPairTerm,
  counts: PairCounts,
  balanced: boolean,
): Scored {
  const all = anchors * size;
  const gradient = new Float32Array(all);
  const weights = balanced
    ? { same: 1 / counts.similar, other: 1 / counts.dissimilar }
    : { same: 1 / all, other: 1 / all };
  let loss = 0;
  for (let i = 0; i < anchors; i++)
    for (let j = memory ? 0 : i; j < size; j++) {
      const place = i * size + j;
      const same = i === j || similar(i, j);
      const weight = (i === j || memory ? 1 : 2) * (same ? weights.same : weights.other);
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
