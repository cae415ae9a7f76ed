/** For each positive pair a random negative of those with a loss (siamese-triplet's RandomNegative). */
import { forEachPositivePair, randomBetween, type TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  select: (batch, margin, random) =>
    forEachPositivePair(
      batch,
      (near) => (positive) => randomBetween(near, Number.NEGATIVE_INFINITY, positive + margin, random),
    ),
} satisfies TripletSelector;
