/**
 * HashNet: pairs weighted by their class's share, and outputs that grow into bits.
 *
 * Similar and dissimilar pairs weigh the same in all, however rare one kind is. The paper raises beta during training,
 * so that tanh approaches the sign.
 *
 * @equation
 * h = tanh(beta u),  t_ij = alpha h_i·h_j,  s_ij = 1 for similar images, else 0
 * w_ij = pairs / similar pairs, or pairs / dissimilar pairs
 * mean over all pairs of  w_ij (log(1 + exp(t_ij)) - s_ij t_ij)
 * @when Similar pairs are rare, as with many classes or several labels. Give beta a schedule.
 * @source Cao, Long, Wang & Yu 2017, "HashNet: Deep learning to hash by continuation"
 */
import * as tf from "@tensorflow/tfjs-core";
import { everyPairLoss, pairLikelihood } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";

export default everyPairLoss({
  params: {
    alpha: scheduled({ default: 0.1, exclusiveMinimum: 0, description: "of the inner products" }),
    beta: scheduled({
      default: 1,
      exclusiveMinimum: 0,
      description: "scale of the outputs; the paper raises it: { from: 1, to: 10, shape: double }",
    }),
  },
  of: "inner products",
  outputs: (u, { beta }) => tf.tanh(tf.mul(u, beta)) as tf.Tensor2D,
  term: ({ alpha }) => pairLikelihood(alpha),
  balanced: true,
});
