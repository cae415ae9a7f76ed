/**
 * For each positive pair, the mean over all its negatives with a loss.
 *
 * Each pair counts the same. Under `all`, the pairs with the largest distances have the most triplets with a loss and
 * outweigh the rest: odd or wrongly labelled images. A preference for near negatives favours odd images too, up to the
 * collapse. `random-negative` estimates the mean over a pair's negatives by one draw; this selector takes the mean
 * itself: the same expected gradient without the noise of the draw, and the same batch always gives the same gradient.
 * Both images of a pair are anchors, which doubles the pairs of one forward pass. No triplet is stored (see
 * scoreHingeMeans), so that it costs about as much as the draw for half the pairs.
 *
 * @equation
 * mean over positive pairs (a, p) of the mean over {n: |a-n|² < |a-p|² + margin} of loss(a, p, n)
 * @when A triplet loss with a margin trains (`facenet`): the first selector to try.
 * @source This project; docs/study.md compares it with the others
 */
import { tripletSelector } from "../selector.ts";

export default tripletSelector({
  params: {
    both_ends: {
      type: "boolean",
      default: true,
      description: "whether both images of a pair are anchors, or only the first",
    },
    semihard: {
      type: "boolean",
      default: false,
      description: "whether negatives as near as the positive, or nearer, are left out",
    },
  },
  select: (_batch, _margin, _random, { both_ends, semihard }) => ({ bothEnds: both_ends, semihard }),
});
