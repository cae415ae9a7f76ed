/**
 * All positive pairs, with as many negative pairs: the nearest.
 *
 * @equation
 * {(a, b): same class}, and as many (a, b) of different classes with the smallest |a-b|
 * @when Pairs train a loss (`contrastive`, `identification-verification`).
 * @source siamese-triplet's HardNegativePairSelector (https://github.com/adambielski/siamese-triplet)
 */
import { nearestPlaces } from "../scoring/nearest.ts";
import { distancesOf, negativePairs, pairSelector, takePairs } from "../selector.ts";

export default pairSelector({
  select(batch) {
    const { positives } = batch;
    const all = negativePairs(batch);
    const nearest = nearestPlaces(distancesOf(batch, all), Math.min(positives.count, all.count));
    return { positive: positives, negative: takePairs(all, nearest) };
  },
});
