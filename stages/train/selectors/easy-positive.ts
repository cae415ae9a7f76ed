/**
 * For each anchor, the nearest positive and a near negative.
 *
 * The negative is the nearest that is farther than the positive (semihard), or the nearest of all (hard).
 *
 * @equation
 * p = argmin |a-p|
 * n = argmin |a-n|, of those with |a-n| > |a-p| (semihard), or of all (hard)
 * @when A class consists of several clusters that should stay apart. The nearest neighbours (kNN) gain more than the
 * ranking of the whole database.
 * @source Xuan, Stylianou & Pless 2020, "Improved embeddings with easy positive triplet mining", section 3
 */
import { emptyTriplets, push } from "../scoring/tuples.ts";
import { distancesTo, smallest, tripletSelector } from "../selector.ts";

export default tripletSelector({
  params: {
    negative: {
      enum: ["semihard", "hard"],
      default: "semihard",
      description: "the nearest negative that is farther than the positive, or the nearest of all",
    },
  },
  select(batch, _margin, _random, { negative }) {
    const { size, squared, members, negatives } = batch;
    const triplets = emptyTriplets(size);
    const scratch = new Float32Array(size);
    for (let anchor = 0; anchor < size; anchor++) {
      let easy = -1;
      for (const other of members[anchor])
        if (other !== anchor && (easy < 0 || squared[anchor * size + other] < squared[anchor * size + easy]))
          easy = other;
      if (easy < 0) continue;
      const near = distancesTo(batch, anchor, negatives[anchor], scratch);
      const place = negative === "semihard" ? smallest(near, squared[anchor * size + easy]) : smallest(near);
      if (place >= 0) push(triplets, anchor, easy, negatives[anchor][place]);
    }
    return triplets;
  },
});
