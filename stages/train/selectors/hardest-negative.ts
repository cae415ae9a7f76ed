/** For each positive pair the nearest negative, where it has a loss (siamese-triplet's HardestNegative). */
import { forEachPositivePair, smallest, type TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  select: (batch, margin) =>
    forEachPositivePair(batch, (near) => {
      const nearest = smallest(near);
      return (positive) => (nearest >= 0 && near[nearest] < positive + margin ? nearest : -1);
    }),
} satisfies TripletSelector;
