/**
 * Deep hashing network: the likelihood of pair labels, with a smooth quantisation.
 *
 * @equation
 * theta_ij = u_i·u_j / 2,  s_ij = 1 for similar images, else 0
 * mean over all pairs of  log(1 + exp(theta_ij)) - s_ij theta_ij
 *     + lambda · mean over images and bits of  log cosh(|u| - 1)
 * @when A published baseline of pairwise hashing is needed; dpsh differs in the quantisation.
 * @source Zhu, Long, Wang & Cao 2016, "Deep hashing network for efficient similarity retrieval"
 */
import * as tf from "@tensorflow/tfjs-core";
import { everyPairLoss, meanCost, pairLikelihood } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";

export default everyPairLoss({
  params: {
    lambda: scheduled({ default: 0.1, minimum: 0, description: "weight of the quantisation" }),
  },
  of: "inner products",
  term: () => pairLikelihood(1 / 2),
  cost: (outputs, { lambda }) => meanCost(outputs, lambda, (u) => logCosh(tf.sub(tf.abs(u), 1))),
});

/** log cosh(x) = |x| + log(1 + exp(-2|x|)) - log 2, which does not overflow. */
function logCosh(x: tf.Tensor): tf.Tensor {
  const size = tf.abs(x);
  return tf.sub(tf.add(size, tf.log1p(tf.exp(tf.mul(size, -2)))), Math.LN2);
}
