/** log(1 + exp(|a-p| - |a-n|)): a margin without an edge (Hermans, Beyer & Leibe 2017, section 2). */
import { type AnchorSums, scoreByExponentials } from "../exponentials.ts";
import { type Term, tripletLoss } from "../triplets.ts";

const term = (): Term => ({
  loss: 0,
  positive: 0,
  negative: 0,
  at(ap, an) {
    const near = Math.sqrt(ap);
    const far = Math.sqrt(an);
    const over = near - far;
    const share = 1 / (1 + Math.exp(-over));
    this.loss = Math.max(0, over) + Math.log1p(Math.exp(-Math.abs(over)));
    this.positive = near > 0 ? share / (2 * near) : 0;
    this.negative = far > 0 ? -share / (2 * far) : 0;
  },
});

/** A sum of logarithms is the logarithm of a product, of as many factors as leave it a number. */
const sums = (size: number): AnchorSums => ({
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

export default tripletLoss({
  normalise: false,
  margin: () => Number.POSITIVE_INFINITY,
  term,
  scoreAll: (batch) => scoreByExponentials(batch, sums(batch.size), term()),
});
