/**
 * For each anchor, the pairs as hard as the hardest of the other kind, about.
 *
 * A positive trains if it is not clearly nearer than the nearest negative, a negative if it is not clearly farther than
 * the farthest positive. The pairs are ordered: one that is hard for both of its images counts twice.
 *
 * @equation
 * (a, p) with |a-p|²/2 + epsilon > min over negatives |a-n|²/2
 * (a, n) with |a-n|²/2 - epsilon < max over positives |a-p|²/2
 * On the unit sphere |a-b|²/2 is 1 - cos(a, b), and epsilon a difference of cosines.
 * @when Pairs train a loss, and what counts as hard should differ from anchor to anchor. `multi-similarity` has this
 * selection built in.
 * @source Wang, Han, Huang, Dong & Scott 2019, "Multi-similarity loss with general pair weighting for deep metric
 * learning", equations 7 and 8
 */
import { emptyPairs, pushPair } from "../scoring/tuples.ts";
import { distancesTo, largest, pairSelector, smallest } from "../selector.ts";

export default pairSelector({
  params: {
    epsilon: {
      type: "number",
      default: 0.1,
      description:
        "by how much a pair may be easier than the hardest of the other kind, in halves of squared distances",
    },
  },
  select(batch, _random, { epsilon }) {
    const { anchors, size, members, negatives } = batch;
    const positive = emptyPairs(members.reduce((sum, own) => sum + own.length - 1, 0));
    const negative = emptyPairs(negatives.reduce((sum, others) => sum + others.length, 0));
    const scratch = [new Float32Array(size), new Float32Array(size)];
    for (let anchor = 0; anchor < anchors; anchor++) {
      const own = members[anchor].filter((other) => other !== anchor);
      const near = distancesTo(batch, anchor, own, scratch[0]);
      const far = distancesTo(batch, anchor, negatives[anchor], scratch[1]);
      if (near.length === 0 || far.length === 0) continue;
      const nearest = far[smallest(far)] - 2 * epsilon;
      const farthest = near[largest(near)] + 2 * epsilon;
      for (let k = 0; k < near.length; k++) if (near[k] > nearest) pushPair(positive, anchor, own[k]);
      for (let k = 0; k < far.length; k++)
        if (far[k] < farthest) pushPair(negative, anchor, negatives[anchor][k]);
    }
    return { positive, negative };
  },
});
