/**
 * For each positive pair the mean over all its negatives with a loss. Our own, made out of what the race of the others
 * shows: one random negative of those with a loss for each pair beats all triplets, and beats any way of preferring near
 * negatives. So what matters is that each pair weighs the same. Where all triplets weigh the same, the few pairs that
 * lie worst have the most of them, and outweigh the rest: images that are odd, or labelled wrongly. And a preference for
 * near negatives is one for odd images as well, up to the collapse.
 * A random negative for each pair estimates the mean over its negatives; this takes the mean itself. So it has the same
 * gradient without the noise of the draw, each of the batch's triplets with a loss gives what it knows, and nothing is
 * random: the same batch gives the same gradient. It costs less than the draw, as no triplet is looked at (see
 * scoreHingeMeans). Both images of a pair are anchors: twice the pairs out of the same forward pass.
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
