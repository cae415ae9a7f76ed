/** Positive pairs drawn together, negative ones pushed apart up to the margin (Hadsell, Chopra & LeCun 2006). */
import { distanceLoss, type Loss } from "../loss.ts";
import { choosePairs, scoreContrastive } from "../pairs.ts";
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
