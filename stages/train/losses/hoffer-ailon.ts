/**
 * Squared error of the softmax of the two distances of a triplet.
 *
 * The loss compares the pair of shares d+ and d- = 1 - d+ with (0, 1). It has no margin: every triplet has a loss, a
 * distant negative a small one.
 *
 * @equation
 * d+ = exp|a-p| / (exp|a-p| + exp|a-n|)
 * d+² + (d- - 1)² = 2 d+²
 * @when No margin should be chosen, or the hardest negatives are wanted: they do not collapse it. Take the selector
 * `all`; a selector that leaves out near negatives leaves this loss little to learn.
 * @source Hoffer & Ailon 2015, "Deep metric learning using triplet network", section 3
 */

import { tripletLoss } from "../kinds/triplets.ts";
import { type AnchorSums, scoreByExponentials } from "../scoring/exponentials.ts";
import type { Term } from "../scoring/term.ts";

const term = (): Term => ({
  loss: 0,
  positive: 0,
  negative: 0,
  at(ap, an) {
    const near = Math.sqrt(ap);
    const far = Math.sqrt(an);
    const share = 1 / (1 + Math.exp(far - near));
    const slope = 4 * share * share * (1 - share);
    this.loss = 2 * share * share;
    this.positive = near > 0 ? slope / (2 * near) : 0;
    this.negative = far > 0 ? -slope / (2 * far) : 0;
  },
});

/** Two positives at a time: each negative is read, and its slope written, half as often. */
const sums = (size: number): AnchorSums => ({
  loss: 0,
  positive: new Float64Array(size),
  negative: new Float64Array(size),
  add(a, positives, b, negatives) {
    const { positive, negative } = this;
    let loss = 0;
    for (let p = 0; p < positives; p += 2) {
      const a0 = a[p];
      const a1 = p + 1 < positives ? a[p + 1] : 0; // a distance of minus infinity: it adds nothing
      let slope0 = 0;
      let slope1 = 0;
      for (let n = 0; n < negatives; n++) {
        const grown = b[n];
        const share0 = a0 / (a0 + grown);
        const square0 = share0 * share0;
        const rest0 = square0 - square0 * share0;
        const share1 = a1 / (a1 + grown);
        const square1 = share1 * share1;
        const rest1 = square1 - square1 * share1;
        loss += square0 + square1;
        slope0 += rest0;
        slope1 += rest1;
        negative[n] -= 4 * (rest0 + rest1);
      }
      positive[p] = 4 * slope0;
      if (p + 1 < positives) positive[p + 1] = 4 * slope1;
    }
    this.loss += 2 * loss;
  },
});

export default tripletLoss({
  normalise: false,
  terms: () => ({ term: term(), scoreAll: (batch) => scoreByExponentials(batch, sums(batch.size), term()) }),
});
