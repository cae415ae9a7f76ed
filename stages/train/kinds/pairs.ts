/** Pair losses: the mean of a term over the pairs that a selector chose. */
import { type ParamSchemas, type ParamsOf, UserError } from "../../../runner/stage.ts";
import { defineLoss, type Loss, type LossSetup } from "../loss.ts";
import type { Batch, PairSet } from "../scoring/batch.ts";
import { memoryParam } from "../scoring/memory.ts";
import { distanceLoss } from "../scoring/ops.ts";
import type { PairTerm } from "../scoring/term.ts";
import { scorePairs } from "../scoring/tuples.ts";
import type { PairSelector } from "../selector.ts";

/** A pair loss as {@link pairLoss} takes it. */
export interface PairLossSpec<S extends ParamSchemas> {
  /** Whether the embeddings are scaled to length 1. */
  normalise: boolean;
  params?: S;
  terms(params: ParamsOf<S>): { term: PairTerm };
}

/** The pairs of a batch: those of the sampler, otherwise those of the selector. */
export function choosePairs(
  batch: Batch,
  given: PairSet | undefined,
  selector: LossSetup["selector"],
): PairSet {
  if (given) return given;
  if (!selector)
    throw new UserError(
      "train: this loss takes pairs, but nothing gives any. Name a selector of pairs, or the sampler random-pairs.",
    );
  return (selector.part as PairSelector).select(batch, selector.random, selector.params);
}

/** Declares a pair loss: its params, and one function from their values to its term. */
export function pairLoss<const S extends ParamSchemas>(spec: PairLossSpec<S>): Loss<ParamsOf<S>> {
  return defineLoss<S>({
    params: { ...spec.params, ...memoryParam } as unknown as S,
    normalise: spec.normalise,
    selects: "pairs",
    several: true,
    start: ({ selector }) => ({
      ...distanceLoss((batch, params: ParamsOf<S>, given) =>
        scorePairs(batch, choosePairs(batch, given.pairs, selector), spec.terms(params).term),
      ),
      variables: [],
    }),
  });
}
