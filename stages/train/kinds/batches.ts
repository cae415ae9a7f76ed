/** Losses of whole batches: a function of all squared distances, without a selector. */
import type { ParamSchemas, ParamsOf } from "../../../runner/stage.ts";
import { defineLoss, type Loss } from "../loss.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { distanceLoss } from "../scoring/ops.ts";

/** A loss of whole batches as {@link batchLoss} takes it. */
export interface BatchLossSpec<S extends ParamSchemas> {
  /** Whether the embeddings are scaled to length 1. */
  normalise: boolean;
  params?: S;
  score(batch: Batch, params: ParamsOf<S>): Scored;
}

/** Declares a loss of whole batches: its params, and one function of a batch and their values. */
export function batchLoss<const S extends ParamSchemas>(spec: BatchLossSpec<S>): Loss<ParamsOf<S>> {
  return defineLoss<S>({
    params: spec.params,
    normalise: spec.normalise,
    selects: "nothing",
    start: () => ({
      ...distanceLoss((batch, params: ParamsOf<S>) => spec.score(batch, params)),
      variables: [],
    }),
  });
}
