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
import { onePerAnchor, tripletSelector } from "../selector.ts";

export default tripletSelector({
  params: {
    negative: {
      enum: ["semihard", "hard"],
      default: "semihard",
      description: "the nearest negative that is farther than the positive, or the nearest of all",
    },
  },
  select: (batch, _margin, _random, { negative }) => onePerAnchor(batch, "easy", negative),
});
