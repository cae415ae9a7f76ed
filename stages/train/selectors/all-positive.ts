/**
 * All positive pairs, with as many random negative pairs.
 *
 * Without `balanced` it takes every negative pair of the batch.
 *
 * @equation
 * {(a, b): same class}, and as many random (a, b) of different classes
 * @when Pairs train a loss, and hard negatives are not wanted: a baseline for `hard-negative`.
 * @source siamese-triplet's AllPositivePairSelector (https://github.com/adambielski/siamese-triplet)
 */
import { negativePairs, pairSelector, takePairs } from "../selector.ts";

export default pairSelector({
  params: {
    balanced: {
      type: "boolean",
      default: true,
      description: "whether to draw as many negative pairs as there are positive ones, rather than take all",
    },
  },
  select(batch, random, { balanced }) {
    const all = negativePairs(batch);
    if (!balanced) return { positive: batch.positives, negative: all };
    const count = Math.min(batch.positives.count, all.count);
    // The front of a shuffled deck: only as much is shuffled as is taken.
    const deck = Int32Array.from({ length: all.count }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      const j = i + random.int(all.count - i);
      const kept = deck[i];
      deck[i] = deck[j];
      deck[j] = kept;
    }
    return { positive: batch.positives, negative: takePairs(all, deck.subarray(0, count)) };
  },
});
