/** For each positive pair the nearest negative, where it has a loss (siamese-triplet's HardestNegative). */
import { forEachPositivePair, nearestNegative, type TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  select(batch, margin) {
    const { size, squared } = batch;
    const nearest = Int32Array.from({ length: size }, (_, anchor) => nearestNegative(batch, anchor));
    return forEachPositivePair(batch, (anchor, positive) => {
      const negative = nearest[anchor];
      if (negative < 0) return -1;
      const has = squared[anchor * size + negative] < squared[anchor * size + positive] + margin;
      return has ? negative : -1;
    });
  },
} satisfies TripletSelector;
