/**
 * FaceNet's triplet hinge on the unit sphere.
 *
 * A negative has a loss until its squared distance to the anchor exceeds the positive's by the margin. The loss is the
 * mean over the selected triplets.
 *
 * @equation
 * max(0, |a-p|² - |a-n|² + margin)
 * @when Images are ranked by the distance of their embeddings. Choose the margin for each selector on validation
 * images. Avoid selectors that take only the hardest triplets (`batch-hard`, `hardest-negative`): the embeddings may
 * collapse to one point.
 * @source Schroff, Kalenichenko & Philbin 2015, "FaceNet: A unified embedding for face recognition and clustering",
 * equation 2 (margin is its alpha)
 */

import { tripletLoss } from "../kinds/triplets.ts";
import { scheduled } from "../schedules.ts";
import { scoreEveryHinge } from "../scoring/hinge.ts";
import { scoreHingeMeans } from "../scoring/means.ts";
import { hinge } from "../scoring/term.ts";

export default tripletLoss({
  normalise: true,
  params: {
    margin: scheduled({
      default: 0.2,
      exclusiveMinimum: 0,
      description: "alpha, in squared distances (at most 4)",
    }),
  },
  terms: ({ margin }) => ({
    margin,
    term: hinge(margin),
    scoreAll: (batch) => scoreEveryHinge(batch, margin),
    scoreMeans: (batch, means) => scoreHingeMeans(batch, means, margin),
  }),
});
