/**
 * For each positive pair the mean over all its negatives with a loss. Our own, made out of what the race of the others
 * shows: one random negative of those with a loss for each pair beats all triplets, and no way of preferring near
 * negatives beats it. So what matters is that each pair weighs the same. Where all triplets weigh the same, the few
 * pairs that lie worst have the most triplets with a loss, and outweigh the rest: images that are odd, or labelled
 * wrongly. A preference for near negatives favours odd images as well, up to the collapse.
 * A random negative for each pair estimates the mean over the pair's negatives; this takes the mean itself: the same
 * gradient without the noise of the draw, and nothing random, so the same batch gives the same gradient. Both images of
 * a pair are anchors: twice the pairs out of the same forward pass. No triplet is looked at (see scoreHingeMeans), so
 * that this costs about what the draw for half the pairs does.
 */
import type { TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  params: {
    both_ends: {
      type: "boolean",
      default: true,
      description: "whether both images of a pair are anchors, or only the first",
    },
    semihard: {
      type: "boolean",
      default: false,
      description: "whether negatives as near as the positive, or nearer, are left out",
    },
  },
  select: (_batch, _margin, _random, params) => ({
    bothEnds: params.both_ends as boolean,
    semihard: params.semihard as boolean,
  }),
} satisfies TripletSelector;
