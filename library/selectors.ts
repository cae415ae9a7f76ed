/**
 * Selectors: which triplets or pairs of a batch train. `select` takes a batch ({@link batchOf}: labels and squared
 * distances) and gives index arrays, or "all".
 *
 * @example
 * const batch = batchOf(labels, squared, dim);
 * const triplets = semihardNegative.select(batch, 0.2, random(1, "selector"), {});
 * @module
 */
export { type Random, random } from "../stages/shared/compute/random.ts";
export {
  type Batch,
  batchOf,
  type PairSet,
  type Pairs,
  squaredDistances,
  type Triplets,
} from "../stages/train/scoring/batch.ts";
export { emptyPairs, emptyTriplets, push, pushPair } from "../stages/train/scoring/tuples.ts";
export {
  distancesOf,
  distancesTo,
  forEachPositivePair,
  largest,
  negativePairs,
  onePerAnchor,
  type PairSelector,
  pairSelector,
  smallest,
  type TripletSelector,
  takePairs,
  tripletSelector,
  tripletsThat,
} from "../stages/train/selector.ts";
export { default as all } from "../stages/train/selectors/all.ts";
export { default as allPositive } from "../stages/train/selectors/all-positive.ts";
export { default as angularTriplets } from "../stages/train/selectors/angular-triplets.ts";
export { default as batchEasyHard } from "../stages/train/selectors/batch-easy-hard.ts";
export { default as batchHard } from "../stages/train/selectors/batch-hard.ts";
export { default as distanceWeighted } from "../stages/train/selectors/distance-weighted.ts";
export { default as easyPositive } from "../stages/train/selectors/easy-positive.ts";
export { default as hardNegative } from "../stages/train/selectors/hard-negative.ts";
export { default as hardestNegative } from "../stages/train/selectors/hardest-negative.ts";
export { default as hdc } from "../stages/train/selectors/hdc.ts";
export { default as meanNegative } from "../stages/train/selectors/mean-negative.ts";
export { default as multiSimilarityPairs } from "../stages/train/selectors/multi-similarity-pairs.ts";
export { default as pairMargin } from "../stages/train/selectors/pair-margin.ts";
export { default as randomNegative } from "../stages/train/selectors/random-negative.ts";
export { default as semihardNegative } from "../stages/train/selectors/semihard-negative.ts";
export { default as tripletMargin } from "../stages/train/selectors/triplet-margin.ts";
export { defaultsOf } from "./params.ts";
