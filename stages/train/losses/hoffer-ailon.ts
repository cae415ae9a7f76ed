/**
 * The squared error of the softmax of the two distances against (0, 1): with
 * d+ = exp|a-p| / (exp|a-p| + exp|a-n|), the loss is d+² + (d- - 1)² = 2 d+² (Hoffer & Ailon 2015, section 3).
 */
import { tripletLoss } from "../triplets.ts";

/** Distances are capped here before exp: beyond, the softmax is 0 or 1 in any case. */
const FARTHEST = 80;

export default tripletLoss({
  normalise: false,
  margin: () => Number.POSITIVE_INFINITY,
  term({ squared }) {
    const grown = new Float64Array(squared.length);
    // d|x| / d|x|² = 1 / (2|x|); where two embeddings coincide the direction is undefined, and 0 is taken.
    const slopes = new Float64Array(squared.length);
    for (let i = 0; i < squared.length; i++) {
      const distance = Math.sqrt(squared[i]);
      grown[i] = Math.exp(Math.min(distance, FARTHEST));
      slopes[i] = distance > 0 ? 0.5 / distance : 0;
    }
    return {
      loss: 0,
      positive: 0,
      negative: 0,
      at(ap, an) {
        const share = grown[ap] / (grown[ap] + grown[an]);
        this.loss = 2 * share * share;
        const slope = 4 * share * share * (1 - share);
        this.positive = slope * slopes[ap];
        this.negative = -slope * slopes[an];
      },
    };
  },
});
