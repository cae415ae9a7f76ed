/** For each positive pair a random negative of those with a loss (siamese-triplet's RandomNegative). */
import { forEachPositivePair, randomNegative, type TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  select: (batch, margin, random) =>
    forEachPositivePair(batch, (anchor, positive) =>
      randomNegative(batch, anchor, -1, batch.squared[anchor * batch.size + positive] + margin, random),
    ),
} satisfies TripletSelector;
