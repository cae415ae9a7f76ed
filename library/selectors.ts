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
export { emptyTriplets, push } from "../stages/train/scoring/tuples.ts";
export {
  forEachPositivePair,
  negativePairs,
  type PairSelector,
  pairSelector,
  smallest,
  type TripletSelector,
  tripletSelector,
} from "../stages/train/selector.ts";
export { default as all } from "../stages/train/selectors/all.ts";
export { default as allPositive } from "../stages/train/selectors/all-positive.ts";
export { default as batchHard } from "../stages/train/selectors/batch-hard.ts";
export { default as distanceWeighted } from "../stages/train/selectors/distance-weighted.ts";
export { default as easyPositive } from "../stages/train/selectors/easy-positive.ts";
export { default as hardNegative } from "../stages/train/selectors/hard-negative.ts";
export { default as hardestNegative } from "../stages/train/selectors/hardest-negative.ts";
export { default as meanNegative } from "../stages/train/selectors/mean-negative.ts";
export { default as randomNegative } from "../stages/train/selectors/random-negative.ts";
export { default as semihardNegative } from "../stages/train/selectors/semihard-negative.ts";
export { defaultsOf } from "./params.ts";
