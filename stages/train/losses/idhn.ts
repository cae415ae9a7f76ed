/**
 * Improved deep hashing network: soft similarity where images share some labels.
 *
 * As its public code writes it. Where images have one label each, no pair is in the middle.
 *
 * @equation
 * v = u / (1 + |u|),  s_ij = cosine of the label vectors,  t_ij = alpha v_i·v_j
 * mean over all pairs of  log(1 + exp(t_ij)) - s_ij t_ij  where s_ij is 0 or 1,
 *     else  gamma (t_ij + bits - 2 s_ij bits)²
 *     + lambda · mean over images and bits of  ||v| - 1|
 * @when Images have several labels, and the ranking should follow how many two images share.
 * @source Zhang, Zou, Lin, Chen & Wang 2018, "Improved deep hashing with soft pairwise similarity for multi-label image
 * retrieval"; https://github.com/swuxyj/DeepHash-pytorch
 */
import * as tf from "@tensorflow/tfjs-core";
import { everyPairLoss, meanCost, pairLikelihood } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";

const softsign = (u: tf.Tensor2D) => tf.div(u, tf.add(tf.abs(u), 1)) as tf.Tensor2D;
/** A cosine of label vectors this near to 1 is 1. */
const ROUNDING = 1e-9;

export default everyPairLoss({
  params: {
    alpha: scheduled({ default: 0.5, exclusiveMinimum: 0, description: "of the inner products" }),
    gamma: scheduled({ default: 0.1, minimum: 0, description: "weight of pairs that share some labels" }),
    lambda: scheduled({ default: 0.1, minimum: 0, description: "weight of the quantisation" }),
  },
  of: "inner products",
  outputs: softsign,
  term({ alpha, gamma }, bits) {
    const hard = pairLikelihood(alpha);
    return {
      loss: 0,
      slope: 0,
      at(inner, same, similarity, place) {
        if (!same || similarity > 1 - ROUNDING) {
          hard.at(inner, same, similarity, place);
          this.loss = hard.loss;
          this.slope = hard.slope;
          return;
        }
        const off = alpha * inner + bits - 2 * similarity * bits;
        this.loss = gamma * off * off;
        this.slope = 2 * gamma * off * alpha;
      },
    };
  },
  cost: (outputs, { lambda }) => meanCost(outputs, lambda, (u) => tf.abs(tf.sub(tf.abs(softsign(u)), 1))),
});
