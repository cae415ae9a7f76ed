/**
 * For each anchor one positive and one negative, each easy, semihard or hard.
 *
 * `hard` and `hard` are `batch-hard`; `easy` with `semihard` or `hard` are `easy-positive`. An anchor without such a
 * positive or negative is left out.
 *
 * @equation
 * positive:  easy argmin |a-p|,  hard argmax |a-p|,  semihard argmax |a-p| of those with |a-p| < |a-n|
 * negative:  easy argmax |a-n|,  hard argmin |a-n|,  semihard argmin |a-n| of those with |a-n| > |a-p|
 * @when One triplet for each image is wanted, and how hard it is should be an axis of the study.
 * @source Xuan, Stylianou & Pless 2020, "Improved embeddings with easy positive triplet mining"; pytorch-metric-learning's
 * BatchEasyHardMiner
 */
import { UserError } from "../../../runner/stage.ts";
import { onePerAnchor, tripletSelector } from "../selector.ts";

export default tripletSelector({
  params: {
    positive: {
      enum: ["easy", "semihard", "hard"],
      default: "easy",
      description: "the nearest; the farthest that is nearer than the negative; the farthest",
    },
    negative: {
      enum: ["easy", "semihard", "hard"],
      default: "semihard",
      description: "the farthest; the nearest that is farther than the positive; the nearest",
    },
  },
  select(batch, _margin, _random, { positive, negative }) {
    if (positive === "semihard" && negative === "semihard")
      throw new UserError(
        "train: the selector batch-easy-hard cannot take a semihard positive and a semihard negative: each is chosen by the other. Make one of them easy or hard.",
      );
    return onePerAnchor(batch, positive, negative);
  },
});
