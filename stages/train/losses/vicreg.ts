/**
 * VICReg with labels in the place of views.
 *
 * Positive pairs coincide, each dimension keeps its variance, and dimensions are not correlated.
 * Two images of one class take the place of two views of one image.
 *
 * @equation
 * invariance · mean over positive pairs of |a-p|² / dim
 *     + variance · mean over dimensions of  max(0, 1 - sqrt(var + 0.0001))
 *     + covariance · Σ over pairs of dimensions  cov² / dim
 * @when Classes have many kinds of images, or labels say only that two images belong together: it pushes no two classes
 * apart.
 * @source Bardes, Ponce & LeCun 2022, "VICReg: Variance-invariance-covariance regularization for self-supervised
 * learning"
 */
import * as tf from "@tensorflow/tfjs-core";
import { defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { distanceLoss } from "../scoring/ops.ts";

/** Of the paper: added to a variance before its root. */
const EPSILON = 1e-4;

export default defineLoss({
  normalise: false,
  selects: "nothing",
  several: true,
  params: {
    invariance: scheduled({ default: 25, minimum: 0, description: "lambda" }),
    variance: scheduled({ default: 25, minimum: 0, description: "mu" }),
    covariance: scheduled({ default: 1, minimum: 0, description: "nu" }),
  },
  start() {
    const pairs = distanceLoss(score);
    return {
      ...pairs,
      variables: [],
      loss(embeddings, labels, params, given) {
        const drawn = pairs.loss(embeddings, labels, params, given);
        return tf.add(drawn, spread(embeddings, params.variance, params.covariance)) as tf.Scalar;
      },
    };
  },
});

/** The mean squared distance of positive pairs over the number of dimensions. */
function score({ size, squared, dim, positives }: Batch, { invariance }: { invariance: number }): Scored {
  const gradient = new Float32Array(size * size);
  const { first, second, count } = positives;
  const share = count > 0 ? invariance / count / dim : 0;
  let loss = 0;
  for (let pair = 0; pair < count; pair++) {
    const at = first[pair] * size + second[pair];
    loss += share * squared[at];
    gradient[at] = share;
  }
  return { loss, gradient, count, active: count };
}

/** The terms of variance and covariance; a single image has neither. */
function spread(embeddings: tf.Tensor2D, variance: number, covariance: number): tf.Scalar {
  const [size, dim] = embeddings.shape;
  if (size < 2) return tf.scalar(0);
  const centred = tf.sub(embeddings, tf.mean(embeddings, 0, true)) as tf.Tensor2D;
  const products = tf.div(tf.matMul(centred, centred, true, false), size - 1);
  const variances = tf.div(tf.sum(tf.square(centred), 0), size - 1);
  const flat = tf.mean(tf.relu(tf.sub(1, tf.sqrt(tf.add(variances, EPSILON)))));
  const squares = tf.sub(tf.sum(tf.square(products)), tf.sum(tf.square(variances)));
  return tf.add(tf.mul(flat, variance), tf.mul(squares, covariance / dim)) as tf.Scalar;
}
