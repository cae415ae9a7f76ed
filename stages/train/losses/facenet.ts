/**
 * max(0, |a-p|² - |a-n|² + margin) on the unit sphere (Schroff, Kalenichenko & Philbin 2015, equation 2; the
 * margin is its alpha).
 */
import { scoreEveryHinge } from "../hinge.ts";
import { scoreHingeMeans } from "../means.ts";
import { scheduled } from "../schedules.ts";
import { tripletLoss } from "../triplets.ts";

export default tripletLoss({
  normalise: true,
  params: {
    margin: scheduled({
      default: 0.2,
      exclusiveMinimum: 0,
      description: "alpha, in squared distances (at most 4)",
    }),
  },
  margin: (params) => params.margin as number,
  term(params) {
    const margin = params.margin as number;
    return {
      loss: 0,
      positive: 1,
      negative: -1,
      at(ap, an) {
        this.loss = ap - an + margin;
      },
    };
  },
  scoreAll: (batch, params) => scoreEveryHinge(batch, params.margin as number),
  scoreMeans: (batch, means, params) => scoreHingeMeans(batch, means, params.margin as number),
});
