/**
 * Contrastive loss of pairs.
 *
 * It draws two images of one class together, and pushes two images of different classes apart up to the margin. The
 * loss is the mean over the selected pairs.
 *
 * @equation
 * same class:         |a-b|² / 2
 * different classes:  max(0, margin - |a-b|)² / 2
 * @when Hard negatives are wanted: each pair moves on its own, so that the embeddings do not collapse as under a
 * triplet hinge. The result depends strongly on the margin; choose it on validation images (the stage `select`), from a
 * grid that reaches far beyond 1.
 * @source Hadsell, Chopra & LeCun 2006, "Dimensionality reduction by learning an invariant mapping", equation 4
 */

import { pairLoss } from "../kinds/pairs.ts";
import { scheduled } from "../schedules.ts";
import { contrastiveTerm } from "../scoring/term.ts";

export default pairLoss({
  normalise: false,
  params: {
    margin: scheduled({
      default: 1,
      exclusiveMinimum: 0,
      description: "how far apart negative pairs must be, a distance",
    }),
  },
  terms: ({ margin }) => ({ term: contrastiveTerm(margin) }),
});
