/**
 * For each image as anchor a walk outward: its positives from the nearest on, each with the nearest negative that is
 * farther than it, within the margin, and not yet taken. Made for quality against seconds, on what trials with
 * frozen features showed:
 * - one triplet for each pair beats all triplets of a pair: else the few pairs that lie worst have the most triplets
 *   with a loss, and outweigh all others; and the nearest negatives of all (hardest) let the embeddings collapse;
 * - the nearest farther negative teaches more than a random one, but is the same for many positives of an anchor.
 *   Taken once, the negatives are as many as the positives, and no odd image is pushed from everywhere;
 * - both images of a pair are anchors: twice the triplets for the same forward pass.
 * Leaving the farthest positives out (`outliers`) helps where the network is too small to fit them, and costs where
 * it is not. Of the order of size² log size, and nothing random: the same batch gives the same triplets.
 */
import { distancesTo, emptyTriplets, push, sortedPlaces, type TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  params: {
    outliers: {
      type: "number",
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      description: "share of each anchor's positives, the farthest, that are left out",
    },
  },
  select(batch, margin, _random, params) {
    const { size, positives, members, negatives } = batch;
    const kept = 1 - (params.outliers as number);
    const triplets = emptyTriplets(2 * positives.count);
    const [nearScratch, farScratch] = [new Float32Array(size), new Float32Array(size)];
    for (let anchor = 0; anchor < size; anchor++) {
      const own = members[anchor].filter((other) => other !== anchor);
      const near = distancesTo(batch, anchor, own, nearScratch);
      const inward = sortedPlaces(near).subarray(0, Math.ceil(own.length * kept));
      if (inward.length === 0) continue;
      const far = distancesTo(batch, anchor, negatives[anchor], farScratch);
      const outward = sortedPlaces(far, near[inward[0]], near[inward[inward.length - 1]] + margin);
      let next = 0;
      for (const place of inward) {
        while (next < outward.length && far[outward[next]] <= near[place]) next++;
        if (next < outward.length && far[outward[next]] < near[place] + margin)
          push(triplets, anchor, own[place], negatives[anchor][outward[next++]]);
      }
    }
    return triplets;
  },
} satisfies TripletSelector;
