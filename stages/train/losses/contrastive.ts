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

import { choosePairs, scoreContrastive } from "../kinds/pairs.ts";
import { distanceLoss, type Loss } from "../loss.ts";
import { scheduled } from "../schedules.ts";

export default {
  normalise: false,
  selects: "pairs",
  params: {
    margin: scheduled({
      default: 1,
      exclusiveMinimum: 0,
      description: "how far apart negative pairs must be, a distance",
    }),
  },
  start({ selector }) {
    const run = distanceLoss((batch, params, given) =>
      scoreContrastive(batch, choosePairs(batch, given.pairs, selector), params.margin as number),
    );
    return { ...run, variables: [] };
  },
} satisfies Loss;
