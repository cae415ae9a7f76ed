/**
 * Quadratic mutual information hashing, in its form with a square clamp.
 *
 * @equation
 * p_ij = (1 + cos(u_i, u_j)) / 2,  M = pairs / similar pairs
 * mean over all pairs of  (s_ij p_ij - 1)² + p_ij² / M
 *     + lambda · mean over images and bits of  ||u| - 1|
 * @when Codes should carry as much information on the labels as their length allows, without a margin to choose.
 * @source Passalis & Tefas 2021, "Deep supervised hashing using quadratic spherical mutual information for efficient
 * image retrieval"
 */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { everyPairLoss, meanCost } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";

export default everyPairLoss({
  params: {
    lambda: scheduled({ default: 0.01, minimum: 0, description: "weight of the quantisation" }),
  },
  of: "inner products",
  outputs: (u) => normaliseRows(u),
  term(_, __, { similar, dissimilar }) {
    const share = similar / (similar + dissimilar);
    return {
      loss: 0,
      slope: 0,
      at(cosine, same) {
        const p = (1 + cosine) / 2;
        const off = same ? p - 1 : -1;
        this.loss = off * off + p * p * share;
        this.slope = (same ? off : 0) + p * share;
      },
    };
  },
  cost: (outputs, { lambda }) => meanCost(outputs, lambda, (u) => tf.abs(tf.sub(tf.abs(u), 1))),
});
