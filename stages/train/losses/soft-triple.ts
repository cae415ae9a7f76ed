/**
 * SoftTriple: several centres for each class, weighted by how near they are.
 *
 * tau draws the centres of a class together, so that a class takes no more of them than it needs.
 *
 * @equation
 * s_c = Σ over the centres w of class c of  softmax(cos(e, w) / gamma) · cos(e, w)
 * mean over images of  -log softmax(scale (s_c - margin at the own class))[class]
 *     + tau · mean over pairs of centres of one class of  |w - w'|
 * @when A class consists of several kinds of images, and no selector should be chosen.
 * @source Qian, Shang, Sun, Hu, Li & Jin 2019, "SoftTriple loss: Deep metric learning without triplet sampling" (scale
 * is its lambda, margin its delta)
 */
import * as tf from "@tensorflow/tfjs-core";
import { marginCrossEntropy, weightLoss } from "../kinds/cosines.ts";
import { scheduled } from "../schedules.ts";
import { logSum } from "../scoring/logsum.ts";

/** Added to squared distances of centres: the root of 0 has no slope. */
const EPSILON = 1e-5;

export default weightLoss({
  params: {
    centres: { type: "integer", minimum: 1, default: 10, description: "K, of each class" },
    scale: scheduled({ default: 20, exclusiveMinimum: 0, description: "lambda" }),
    gamma: scheduled({ default: 0.1, exclusiveMinimum: 0, description: "softness of the nearest centre" }),
    margin: scheduled({ default: 0.01, minimum: 0, maximum: 2, description: "delta, in cosines" }),
    tau: scheduled({ default: 0.2, minimum: 0, description: "weight of the distances of a class's centres" }),
  },
  perClass: ({ centres }) => centres as number,
  score(cosines, labels, classes, { scale, gamma, margin }) {
    const batch = labels.length;
    const perClass = cosines.length / batch / classes;
    const weights = new Float64Array(cosines.length);
    const soft = Float32Array.from({ length: batch * classes }, (_, at) => {
      const own = weights.subarray(at * perClass, (at + 1) * perClass);
      for (let k = 0; k < perClass; k++) own[k] = cosines[at * perClass + k] / gamma;
      logSum(own, perClass);
      return own.reduce((sum, weight, k) => sum + weight * cosines[at * perClass + k], 0);
    });
    const scored = marginCrossEntropy(soft, labels, classes, scale, {
      score: 0,
      slope: 1,
      at(similarity) {
        this.score = similarity - margin;
      },
    });
    const gradient = cosines.map((cosine, place) => {
      const at = Math.floor(place / perClass);
      return scored.gradient[at] * weights[place] * (1 + (cosine - soft[at]) / gamma);
    });
    return { ...scored, gradient };
  },
  regulariser(weights, classes, { tau }) {
    const perClass = weights.shape[0] / classes;
    if (tau === 0 || perClass === 1) return undefined;
    const grouped = tf.reshape(weights, [classes, perClass, weights.shape[1]]);
    const cosines = tf.matMul(grouped, grouped, false, true);
    const distances = tf.sqrt(tf.add(tf.relu(tf.sub(2, tf.mul(2, cosines))), EPSILON));
    const apart = tf.sub(1, tf.eye(perClass));
    const sum = tf.sum(tf.mul(distances, apart));
    return tf.mul(sum, tau / (classes * perClass * (perClass - 1))) as tf.Scalar;
  },
});
