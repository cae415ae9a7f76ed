/**
 * The hardest share of the positive pairs, and of the negative pairs.
 *
 * Of hard-aware deeply cascaded embedding this is the selection, with one level; the cascade of networks is not.
 *
 * @equation
 * the share of {(a, b): same class} with the largest |a-b|
 * the share of {(a, b): different classes} with the smallest |a-b|
 * @when Pairs train a loss, and how many of them train should be chosen: a share of 1 takes all, a small one the
 * hardest, wrong labels included.
 * @source Yuan, Yang & Zhang 2017, "Hard-aware deeply cascaded embedding", section 3.2
 */
import { farthestPlaces, nearestPlaces } from "../scoring/nearest.ts";
import { distancesOf, negativePairs, pairSelector, takePairs } from "../selector.ts";

export default pairSelector({
  params: {
    share: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.5,
      description: "of the pairs of each kind, rounded down",
    },
  },
  select(batch, _random, { share }) {
    const { positives } = batch;
    const pairs = negativePairs(batch);
    const part = (count: number) => Math.floor(share * count);
    const positive = farthestPlaces(distancesOf(batch, positives), part(positives.count));
    const negative = nearestPlaces(distancesOf(batch, pairs), part(pairs.count));
    return { positive: takePairs(positives, positive), negative: takePairs(pairs, negative) };
  },
});
