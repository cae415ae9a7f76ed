/** The pair term of DSH (Liu, Wang, Shan & Chen 2016, equation 3). */
import type { EveryPairTerm } from "../kinds/every-pair.ts";

/** d/2 for similar images, max(0, margin - d)/2 for others, of a squared distance. */
export const pairMargin = (margin: number): EveryPairTerm => ({
  loss: 0,
  slope: 0,
  at(squared, same) {
    const missing = same ? squared : Math.max(0, margin - squared);
    this.loss = missing / 2;
    this.slope = same ? 0.5 : missing > 0 ? -0.5 : 0;
  },
});
