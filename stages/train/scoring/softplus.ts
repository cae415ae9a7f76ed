/** log(1 + exp(x)), one at a time, and summed over all triplets of an anchor. */
import type { AnchorSums } from "./exponentials.ts";

/** log(1 + exp(x)) without an overflow. Its slope is {@link logistic}. */
export const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

/** 1 / (1 + exp(-x)), in [0, 1]. */
export const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** How far apart the numbers of one anchor may be for {@link softplusSums}: the square of exp(350) is a number. */
export const FARTHEST_SUMMED = 350 - Math.LN2;

/**
 * Σ log(1 + exp(x_p - y_n)) over an anchor's positives and negatives, out of a = exp(x) and b = exp(y). A sum of
 * logarithms is the logarithm of a product, of as many factors as leave it a number. Two positives at a time: each
 * negative is read, and its slope written, half as often, and one division does for both.
 */
export const softplusSums = (size: number): AnchorSums => ({
  loss: 0,
  positive: new Float64Array(size),
  negative: new Float64Array(size),
  add(a, positives, b, negatives, farthest) {
    const { positive, negative } = this;
    // A factor is exp(-both losses) >= exp(-2 farthest) / 4, and exp(-700) is a number.
    const group = Math.floor(350 / (farthest + Math.LN2));
    let loss = 0;
    for (let p = 0; p < positives; p += 2) {
      const a0 = a[p];
      const a1 = p + 1 < positives ? a[p + 1] : 0; // a distance of minus infinity: it adds nothing
      let slope0 = 0;
      let slope1 = 0;
      for (let n = 0; n < negatives; ) {
        let product = 1;
        for (const end = Math.min(n + group, negatives); n < end; n++) {
          const grown = b[n];
          const sum0 = a0 + grown;
          const sum1 = a1 + grown;
          const over = 1 / (sum0 * sum1);
          const share0 = a0 * sum1 * over;
          const share1 = a1 * sum0 * over;
          product *= grown * grown * over;
          slope0 += share0;
          slope1 += share1;
          negative[n] -= share0 + share1;
        }
        loss -= Math.log(product);
      }
      positive[p] = slope0;
      if (p + 1 < positives) positive[p + 1] = slope1;
    }
    this.loss += loss;
  },
});
