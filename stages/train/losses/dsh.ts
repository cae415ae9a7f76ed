/**
 * Deep supervised hashing: a contrastive loss of the outputs, drawn to -1 and 1.
 *
 * @equation
 * d_ij = |u_i - u_j|²
 * mean over all pairs of  s_ij d_ij / 2 + (1 - s_ij) max(0, margin - d_ij) / 2
 *     + lambda · mean over images and bits of  ||u| - 1|
 * @when A published baseline with a margin is needed.
 * @source Liu, Wang, Shan & Chen 2016, "Deep supervised hashing for fast image retrieval" (margin is its m, lambda its
 * alpha)
 */
import * as tf from "@tensorflow/tfjs-core";
import { pairMargin } from "../hashing/pair-margin.ts";
import { everyPairLoss, meanCost } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";

export default everyPairLoss({
  params: {
    margin: scheduled(
      {
        default: "2*bits",
        exclusiveMinimum: 0,
        description: "m, a squared distance: 2*bits (the paper's: half of all bits differ), or a number",
      },
      "2*bits",
    ),
    lambda: scheduled({ default: 0.01, minimum: 0, description: "weight of the quantisation" }),
  },
  of: "squared distances",
  term: ({ margin }, bits) => pairMargin(margin === "2*bits" ? 2 * bits : margin),
  cost: (outputs, { lambda }) => meanCost(outputs, lambda, (u) => tf.abs(tf.sub(tf.abs(u), 1))),
});
