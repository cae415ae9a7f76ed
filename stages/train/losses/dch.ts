/**
 * Deep Cauchy hashing: similar images within a small Hamming radius.
 *
 * The Cauchy distribution keeps its slope where distances are small. Similar and dissimilar pairs weigh the same in all.
 *
 * @equation
 * d_ij = bits/2 (1 - min(cos(u_i, u_j), 0.99)),  w_ij as in hashnet
 * mean over all pairs of  w_ij (s_ij log(d_ij / gamma) + log(1 + gamma / d_ij))
 *     + lambda · mean over images of  log(1 + d(|u|, 1) / gamma)
 * @when Codes are looked up within a Hamming radius of 2, and not ranked as a whole.
 * @source Cao, Long, Liu & Wang 2018, "Deep Cauchy hashing for Hamming space retrieval"
 */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { everyPairLoss } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";

/** Cosines are cut there: the logarithm of a distance of 0 has no value. */
const LARGEST_COSINE = 0.99;

export default everyPairLoss({
  params: {
    gamma: scheduled({ default: 20, exclusiveMinimum: 0, description: "scale of the Cauchy distribution" }),
    lambda: scheduled({ default: 0.1, minimum: 0, description: "weight of the quantisation" }),
  },
  of: "inner products",
  outputs: (u) => normaliseRows(u),
  term: ({ gamma }, bits) => ({
    loss: 0,
    slope: 0,
    at(cosine, same) {
      const d = (bits / 2) * (1 - Math.min(cosine, LARGEST_COSINE));
      this.loss = Math.log1p(gamma / d) + (same ? Math.log(d / gamma) : 0);
      const slope = (same ? 1 / d : 0) - gamma / (d * (d + gamma));
      this.slope = cosine < LARGEST_COSINE ? (-bits / 2) * slope : 0;
    },
  }),
  balanced: true,
  cost(outputs, { gamma, lambda }) {
    if (lambda === 0) return undefined;
    const bits = outputs.shape[1];
    const sizes = tf.abs(outputs);
    const lengths = tf.maximum(tf.norm(outputs, "euclidean", 1), 1e-12);
    const cosines = tf.div(tf.sum(sizes, 1), tf.mul(lengths, Math.sqrt(bits)));
    const distances = tf.mul(tf.sub(1, tf.minimum(cosines, LARGEST_COSINE)), bits / 2);
    return tf.mul(tf.mean(tf.log1p(tf.div(distances, gamma))), lambda) as tf.Scalar;
  },
});
