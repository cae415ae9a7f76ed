/** Triplet losses: one term a triplet, summed over what a selector chose. */
import { type ParamSchema, UserError } from "../../../runner/stage.ts";
import { distanceLoss, type Loss, type LossSetup } from "../loss.ts";
import type { Batch, Means, Scored, Triplets } from "../scoring/batch.ts";
import { scoreMeans } from "../scoring/means.ts";
import type { TripletSelector } from "../selector.ts";

/** The loss of one triplet and its slopes, written by `at`. */
export interface Term {
  loss: number;
  /** dloss / d(squared distance of anchor and positive). */
  positive: number;
  /** dloss / d(squared distance of anchor and negative). */
  negative: number;
  /** @param ap, an squared distances of the anchor to the positive and to the negative */
  at(ap: number, an: number): void;
}

/** A triplet loss. */
export interface TripletLossSpec {
  normalise: boolean;
  params?: Record<string, ParamSchema>;
  /** How far behind the positive a negative still has a loss, in squared distances; Infinity for any. */
  margin(params: Record<string, unknown>): number;
  term(params: Record<string, unknown>): Term;
  /** The mean over all triplets at once, in a faster way than one by one. */
  scoreAll(batch: Batch, params: Record<string, unknown>): Scored;
  /** The mean over pairs of the means over their negatives, likewise; without it, one by one. */
  scoreMeans?(batch: Batch, means: Means, params: Record<string, unknown>): Scored;
}

/** Scores triplets that are written down. */
export function scoreTriplets(batch: Batch, triplets: Triplets, term: Term): Scored {
  const { size, squared } = batch;
  const gradient = new Float32Array(size * size);
  const { anchors, positives, negatives, count } = triplets;
  let loss = 0;
  let active = 0;
  for (let t = 0; t < count; t++) {
    const ap = anchors[t] * size + positives[t];
    const an = anchors[t] * size + negatives[t];
    term.at(squared[ap], squared[an]);
    if (term.loss <= 0) continue;
    active++;
    loss += term.loss;
    gradient[ap] += term.positive;
    gradient[an] += term.negative;
  }
  return mean(gradient, loss, count, active);
}

/** Sums into means over the selected triplets; nothing selected is a defined zero. */
export function mean(gradient: Float32Array, loss: number, count: number, active: number): Scored {
  if (count === 0) return { loss: 0, gradient, count, active };
  const scale = 1 / count;
  for (let i = 0; i < gradient.length; i++) gradient[i] *= scale;
  return { loss: loss * scale, gradient, count, active };
}

/**
 * The triplets of a batch: what the sampler gave, or else what the selector chooses.
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

/** Makes a part of losses/ out of a triplet loss. */
export function tripletLoss(spec: TripletLossSpec): Loss {
  return {
    params: spec.params,
    normalise: spec.normalise,
    selects: "triplets",
    start({ selector }) {
      const run = distanceLoss((batch, params, given) => {
        const triplets = chooseTriplets(batch, given.triplets, selector, spec.margin(params));
        if (triplets === "all") return spec.scoreAll(batch, params);
        if ("anchors" in triplets) return scoreTriplets(batch, triplets, spec.term(params));
        return spec.scoreMeans
          ? spec.scoreMeans(batch, triplets, params)
          : scoreMeans(batch, triplets, spec.margin(params), spec.term(params));
      });
      return { ...run, variables: [] };
    },
  };
}
