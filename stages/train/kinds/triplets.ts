/** Triplet losses: the mean of a term over the triplets that a selector chose. */
import { type ParamSchemas, type ParamsOf, UserError } from "../../../runner/stage.ts";
import { defineLoss, type Loss, type LossSetup } from "../loss.ts";
import type { Batch, Means, Scored, Triplets } from "../scoring/batch.ts";
import { scoreMeans } from "../scoring/means.ts";
import { memoryParam } from "../scoring/memory.ts";
import { distanceLoss } from "../scoring/ops.ts";
import type { Term } from "../scoring/term.ts";
import { everyTriplet, scoreTriplets } from "../scoring/tuples.ts";
import type { TripletSelector } from "../selector.ts";

/** A triplet loss with given params. */
export interface TripletTerms {
  /** The loss of one triplet. */
  term: Term;
  /** A negative has a loss until it is this much farther than the positive, in squared distances; default Infinity. */
  margin?: number;
  /** The mean over all triplets, faster than triplet by triplet. */
  scoreAll?(batch: Batch): Scored;
  /** The mean over pairs of the means over their negatives, faster than triplet by triplet. */
  scoreMeans?(batch: Batch, means: Means): Scored;
}

/** A triplet loss as {@link tripletLoss} takes it. */
export interface TripletLossSpec<S extends ParamSchemas> {
  /** Whether the embeddings are scaled to length 1. */
  normalise: boolean;
  params?: S;
  terms(params: ParamsOf<S>): TripletTerms;
}

/**
 * The triplets of a batch: those of the sampler, otherwise those of the selector.
 * @param margin of the loss, in squared distances
 */
export function chooseTriplets(
  batch: Batch,
  given: Triplets | undefined,
  selector: LossSetup["selector"],
  margin: number,
): Triplets | "all" | Means {
  if (given) return given;
  if (!selector)
    throw new UserError(
      "train: this loss takes triplets, but nothing gives any. Name a selector of triplets, or the sampler random-triplets.",
    );
  return (selector.part as TripletSelector).select(batch, margin, selector.random, selector.params);
}

/** Declares a triplet loss: its params, and one function from their values to its terms. */
export function tripletLoss<const S extends ParamSchemas>(spec: TripletLossSpec<S>): Loss<ParamsOf<S>> {
  return defineLoss<S>({
    params: { ...spec.params, ...memoryParam } as unknown as S,
    normalise: spec.normalise,
    selects: "triplets",
    several: true,
    start: ({ selector }) => ({
      ...distanceLoss((batch, params: ParamsOf<S>, given) => {
        const terms = spec.terms(params);
        const { term, margin = Number.POSITIVE_INFINITY } = terms;
        const triplets = chooseTriplets(batch, given.triplets, selector, margin);
        if (triplets === "all")
          return terms.scoreAll?.(batch) ?? scoreTriplets(batch, everyTriplet(batch), term);
        if ("anchors" in triplets) return scoreTriplets(batch, triplets, term);
        return terms.scoreMeans?.(batch, triplets) ?? scoreMeans(batch, triplets, margin, term);
      }),
      variables: [],
      collapsed(params) {
        const { term, margin } = spec.terms(params);
        if (margin === undefined) return undefined;
        term.at(0, 0);
        return term.loss;
      },
    }),
  });
}
