/**
 * Deep Fisher hashing: pairs with a margin, and codes near those of their classes.
 *
 * Centres v of the classes train with the network. The code b of an image is that of its output, moved to the centres of
 * its labels; b is a constant.
 *
 * @equation
 * theta_ij = u_i·u_j / 2,  b_i = sign(u_i + mu Σ over labels c of i  sign(v_c))
 * mean over all pairs of  log(1 + exp(margin - t_ij)),  t_ij = theta_ij where similar, else -theta_ij
 *     + eta · mean over images and bits of  (u - b)²
 * of the centres: mean of (Σ over labels v_c - b)² + mean of (v_c·v_d - t_cd)² + mean of (v - sign v)²,
 *     t_cd = bits where c = d, else -bits
 * @when Classes should be apart in bits by a margin. dpsh is the same without margin and centres.
 * @source Li, Pei, Zhang & van Gemert 2019, "Push for quantization: Deep Fisher hashing", whose code descends on the
 * centres in an inner loop
 */
import * as tf from "@tensorflow/tfjs-core";
import { signOf } from "../hashing/quantisation.ts";
import { labelFlags } from "../hashing/targets.ts";
import { everyPairLoss } from "../kinds/every-pair.ts";
import { checkLabels, defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { memoryParam } from "../scoring/memory.ts";
import { logistic, softplus } from "../scoring/softplus.ts";

const margin = {
  margin: scheduled({ default: 3, minimum: 0, description: "m, in halves of an inner product" }),
};
/** The pairs' part of the loss. */
export const fisherPairs = everyPairLoss({
  params: margin,
  of: "inner products",
  term: ({ margin }) => ({
    loss: 0,
    slope: 0,
    at(inner, same) {
      const side = same ? -1 : 1;
      const t = margin + (side * inner) / 2;
      this.loss = softplus(t);
      this.slope = (side * logistic(t)) / 2;
    },
  }),
});

/** The codes b, `[batch, bits]`. @param own flags `[batch, classes]` @param centres `[classes, bits]` */
function drawnCodes(
  outputs: Float32Array,
  own: Float32Array,
  centres: Float32Array,
  bits: number,
  mu: number,
): Float32Array {
  const classes = centres.length / bits;
  const moved = Float32Array.from(outputs);
  for (const [at, flag] of own.entries())
    if (flag) {
      const row = Math.floor(at / classes) * bits;
      const centre = (at % classes) * bits;
      for (let bit = 0; bit < bits; bit++) moved[row + bit] += mu * Math.sign(centres[centre + bit]);
    }
  return moved.map(signOf);
}

const meanSquare = (x: tf.Tensor): tf.Scalar => tf.mean(tf.square(x)) as tf.Scalar;

/** The cost of the centres. @param own `[batch, classes]` @param codes `[batch, bits]` @param centres `[classes, bits]` */
function centreLoss(own: tf.Tensor2D, codes: tf.Tensor2D, centres: tf.Tensor2D): tf.Scalar {
  const [classes, bits] = centres.shape;
  const apart = tf.mul(tf.sub(tf.mul(tf.eye(classes), 2), 1), bits);
  return tf.addN([
    meanSquare(tf.sub(tf.matMul(own, centres), codes)),
    meanSquare(tf.sub(tf.matMul(centres, centres, false, true), apart)),
    meanSquare(tf.sub(centres, tf.sign(centres))),
  ]) as tf.Scalar;
}

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    ...margin,
    ...memoryParam,
    mu: scheduled({ default: 0.1, minimum: 0, description: "how far centres move a code, in outputs" }),
    eta: scheduled({ default: 0.5, minimum: 0, description: "weight of the distance to the codes" }),
  },
  start(setup) {
    const { dim, classes } = setup;
    const centres = tf.variable(tf.zeros([classes, dim])) as unknown as tf.Tensor2D;
    const likelihood = fisherPairs.start(setup);
    return {
      ...likelihood,
      variables: [centres as unknown as tf.Variable],
      loss(embeddings, labels, { mu, eta, ...params }, given) {
        checkLabels(labels, classes);
        const flags = labelFlags(labels, classes, given?.labelSets);
        const outputs = embeddings.dataSync() as Float32Array;
        const drawn = drawnCodes(outputs, flags, centres.dataSync() as Float32Array, dim, mu);
        const own = tf.tensor2d(flags, [labels.length, classes]);
        const codes = tf.tensor2d(drawn, embeddings.shape);
        return tf.addN([
          likelihood.loss(embeddings, labels, params, given),
          tf.mul(meanSquare(tf.sub(embeddings, codes)), eta),
          centreLoss(own, codes, centres),
        ]) as tf.Scalar;
      },
    };
  },
});
