/**
 * Deep balanced discrete hashing: outputs cut to [-1, 1], bits balanced in a code.
 *
 * @equation
 * v = u cut to [-1, 1],  theta_ij = v_i·v_j / 2
 * mean over all pairs of  log(1 + exp(theta_ij)) - s_ij theta_ij
 *     + balance · mean over images of  |mean over bits of v|
 * @when A bounded output without a quantisation weight is wanted.
 * @source Zheng, Zhang & Lu 2020, "Deep balanced discrete hashing for image retrieval"
 */
import * as tf from "@tensorflow/tfjs-core";
import { everyPairLoss, pairLikelihood } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";

const cut = (u: tf.Tensor2D) => tf.clipByValue(u, -1, 1) as tf.Tensor2D;

export default everyPairLoss({
  params: {
    balance: scheduled({ default: 0.1, minimum: 0, description: "weight of the balance" }),
  },
  of: "inner products",
  outputs: cut,
  term: () => pairLikelihood(1 / 2),
  cost: (outputs, { balance }) =>
    balance === 0 ? undefined : (tf.mul(tf.mean(tf.abs(tf.mean(cut(outputs), 1))), balance) as tf.Scalar),
});
