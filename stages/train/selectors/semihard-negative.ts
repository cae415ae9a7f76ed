/**
 * For each positive pair a random negative that is further away than the positive, by less than the margin
 * (Schroff et al. 2015, section 3.2; siamese-triplet's Semihard).
 */
import { forEachPositivePair, randomBetween, type TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  select: (batch, margin, random) =>
    forEachPositivePair(
      batch,
      (near) => (positive) => randomBetween(near, positive, positive + margin, random),
    ),
} satisfies TripletSelector;
