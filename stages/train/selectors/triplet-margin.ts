/**
 * Every triplet of one kind: with a loss, hard, semihard, or easy.
 *
 * `hard` and `semihard` are the two parts of `loss`. Distances are not squared here, and the margin is the selector's
 * own. It lists all its triplets: take it for batches of a few hundred images.
 *
 * @equation
 * loss:      |a-n| - |a-p| <= margin
 * hard:      |a-n| <= |a-p|
 * semihard:  |a-p| < |a-n| <= |a-p| + margin
 * easy:      |a-n| - |a-p| > margin
 * @when The mean of a triplet loss should be over all triplets of a kind, each counting the same. `random-negative` and
 * `semihard-negative` draw one for each pair, `mean-negative` gives each pair the same weight.
 * @source pytorch-metric-learning's TripletMarginMiner
 */
import { tripletSelector, tripletsThat } from "../selector.ts";

export default tripletSelector({
  params: {
    kind: {
      enum: ["loss", "hard", "semihard", "easy"],
      default: "loss",
      description: "which triplets",
    },
    margin: { type: "number", minimum: 0, default: 0.2, description: "a distance, not squared" },
    both_ends: {
      type: "boolean",
      default: false,
      description: "whether both images of a pair are anchors, or only the first",
    },
  },
  select(batch, _margin, _random, { kind, margin, both_ends }) {
    const { size, squared } = batch;
    const distances = new Float32Array(squared.length);
    for (let at = 0; at < squared.length; at++) distances[at] = Math.sqrt(squared[at]);
    const [above, most] = {
      loss: [Number.NEGATIVE_INFINITY, margin],
      hard: [Number.NEGATIVE_INFINITY, 0],
      semihard: [0, margin],
      easy: [margin, Number.POSITIVE_INFINITY],
    }[kind];
    return tripletsThat(batch, both_ends, (a, p, negatives, chosen, at) => {
      const row = a * size;
      const near = distances[row + p];
      let end = at;
      for (let k = 0; k < negatives.length; k++) {
        const farther = distances[row + negatives[k]] - near;
        chosen[end] = negatives[k];
        if (farther > above && farther <= most) end++;
      }
      return end;
    });
  },
});
