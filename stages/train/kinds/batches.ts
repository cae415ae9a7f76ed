/** Losses of whole batches: a function of all squared distances, without a selector. */
import type { ParamSchemas, ParamsOf } from "../../../runner/stage.ts";
import { defineLoss, type Loss } from "../loss.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { memoryParam } from "../scoring/memory.ts";
import { distanceLoss } from "../scoring/ops.ts";

/** A loss of whole batches as {@link batchLoss} takes it. */
export interface BatchLossSpec<S extends ParamSchemas> {
  /** Whether the embeddings are scaled to length 1. */
  normalise: boolean;
  params?: S;
  /** As of {@link Loss}; default true. False where the score takes similarity to be transitive. */
  several?: boolean;
  /** Whether it can be scored with a memory: by anchors and their rows of distances alone. Default true. */
  memory?: boolean;
  score(batch: Batch, params: ParamsOf<S>): Scored;
}

/** Declares a loss of whole batches: its params, and one function of a batch and their values. */
export function batchLoss<const S extends ParamSchemas>(spec: BatchLossSpec<S>): Loss<ParamsOf<S>> {
  return defineLoss<S>({
    params: { ...spec.params, ...(spec.memory !== false && memoryParam) } as unknown as S,
    normalise: spec.normalise,
    selects: "nothing",
    several: spec.several ?? true,
    start: () => ({
      ...distanceLoss((batch, params: ParamsOf<S>) => spec.score(batch, params)),
      variables: [],
    }),
  });
}

/**
 * Declares a loss of whole batches that is a function of cosines, on the unit sphere.
 * @param spec.score is given `1 - |a-b|²/2`, `[anchors, size]`; its gradient is dloss / dcosine
 */
export function cosineLoss<const S extends ParamSchemas>(spec: {
  params?: S;
  /** See {@link BatchLossSpec}. */
  several?: boolean;
  memory?: boolean;
  score(batch: Batch, cosines: Float32Array, params: ParamsOf<S>): Scored;
}): Loss<ParamsOf<S>> {
  return batchLoss<S>({
    params: spec.params,
    memory: spec.memory,
    normalise: true,
    several: spec.several,
    score(batch, params) {
      const cosines = new Float32Array(batch.squared.length);
      for (let at = 0; at < cosines.length; at++) cosines[at] = 1 - batch.squared[at] / 2;
      const scored = spec.score(batch, cosines, params);
      for (let at = 0; at < scored.gradient.length; at++) scored.gradient[at] /= -2;
      return scored;
    },
  });
}

/**
 * Declares a loss of whole batches that is a function of Euclidean distances (not squared), on the unit sphere.
 * @param spec.score is given the distances `[anchors, size]`; its gradient is dloss / ddistance
 */
export function euclideanLoss<const S extends ParamSchemas>(spec: {
  params?: S;
  memory?: boolean;
  score(batch: Batch, distances: Float32Array, params: ParamsOf<S>): Scored;
}): Loss<ParamsOf<S>> {
  return batchLoss<S>({
    params: spec.params,
    memory: spec.memory,
    normalise: true,
    score(batch, params) {
      const distances = new Float32Array(batch.squared.length);
      for (let at = 0; at < distances.length; at++) distances[at] = Math.sqrt(batch.squared[at]);
      const scored = spec.score(batch, distances, params);
      // d|x| / d|x|² = 1 / (2|x|); where two embeddings coincide the direction is undefined, and 0 is taken.
      for (let at = 0; at < scored.gradient.length; at++)
        scored.gradient[at] = distances[at] > 0 ? scored.gradient[at] / (2 * distances[at]) : 0;
      return scored;
    },
  });
}
