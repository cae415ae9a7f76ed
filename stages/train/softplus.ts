/** log(1 + exp(x)), one at a time, and summed over all triplets of an anchor. */
import type { AnchorSums } from "./exponentials.ts";

/** log(1 + exp(x)) without an overflow. Its slope is {@link logistic}. */
export const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

/** 1 / (1 + exp(-x)), in [0, 1]. */
export const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** How far apart the numbers of one anchor may be for {@link softplusSums}: exp(700) is a number. */
export const FARTHEST_SUMMED = 700 - Math.LN2;

/**
 * Σ log(1 + exp(x_p - y_n)) over an anchor's positives and negatives, out of a = exp(x) and b = exp(y). A sum of
 * logarithms is the logarithm of a product, of as many factors as leave it a number.
 */
export const softplusSums = (size: number): AnchorSums => ({
  loss: 0,
  positive: new Float64Array(size),
  negative: new Float64Array(size),
  add(a, positives, b, negatives, farthest) {
    const { positive, negative } = this;
    // A factor is exp(-loss) >= exp(-farthest) / 2, and exp(-700) is a number.
    const group = Math.floor(700 / (farthest + Math.LN2));
    let loss = 0;
    for (let p = 0; p < positives; p++) {
      const near = a[p];
      let slope = 0;
      for (let n = 0; n < negatives; ) {
        let product = 1;
        for (const end = Math.min(n + group, negatives); n < end; n++) {
          const over = 1 / (near + b[n]);
          const share = near * over;
          product *= b[n] * over; // exp(-loss)
          slope += share;
          negative[n] -= share;
        }
        loss -= Math.log(product);
      }
      positive[p] = slope;
    }
    this.loss += loss;
  },
});
