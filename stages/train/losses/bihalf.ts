/**
 * Bi-half: each bit is 1 for half of the batch, and a classifier sees the bits.
 *
 * The half with the largest outputs of a bit is 1. The gradient with respect to the bits is passed to the outputs, plus
 * gamma times their distance.
 *
 * @equation
 * b = 1 for the floor(batch / 2) largest outputs of a bit, else -1
 * mean over images of  -log softmax(W prelu(b) + c)[class]
 * gradient of u  +=  gamma (u - b) / (batch · bits)
 * @when Every bit should carry as much as it can: each splits the images in halves. Batches must be large.
 * @source Li & van Gemert 2021, "Deep unsupervised image hashing by maximizing bit entropy", as the layer of a
 * classifier
 */
import * as tf from "@tensorflow/tfjs-core";
import { checkOutputs } from "../hashing/quantisation.ts";
import { classifier } from "../kinds/classifier.ts";
import { defineLoss, noCounts } from "../loss.ts";
import { scheduled } from "../schedules.ts";

/** The halves of each bit over the batch. @param outputs `[batch, bits]` */
export function halves(outputs: Float32Array, bits: number): Float32Array {
  const batch = outputs.length / bits;
  const half = Math.floor(batch / 2);
  const codes = new Float32Array(outputs.length).fill(-1);
  const column = new Float32Array(batch);
  for (let bit = 0; bit < bits; bit++) {
    for (let i = 0; i < batch; i++) column[i] = outputs[i * bits + bit];
    const least = column.sort()[batch - half]; // ascending, as numbers
    let left = half;
    for (let i = 0; i < batch; i++)
      if (outputs[i * bits + bit] > least) {
        codes[i * bits + bit] = 1;
        left--;
      }
    // Of equal outputs the first ones.
    for (let i = 0; i < batch && left > 0; i++)
      if (outputs[i * bits + bit] === least) {
        codes[i * bits + bit] = 1;
        left--;
      }
  }
  return codes;
}

/** The layer: halves forwards, the gradient of the halves plus the distance to them backwards. */
export function halfLayer(outputs: tf.Tensor2D, gamma: number): tf.Tensor2D {
  const op = tf.customGrad((x) => {
    const { shape } = x as tf.Tensor2D;
    const values = (x as tf.Tensor).dataSync() as Float32Array;
    checkOutputs(values);
    const codes = halves(values, shape[1]);
    const added = values.map((value, at) => (gamma * (value - codes[at])) / values.length);
    return {
      value: tf.tensor2d(codes, shape),
      gradFunc: (dy: tf.Tensor) => tf.add(dy, tf.tensor2d(added, shape)),
    };
  });
  return op(outputs) as tf.Tensor2D;
}

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    gamma: scheduled({ default: 6, minimum: 0, description: "weight of the distance to the bits" }),
  },
  start(setup) {
    const counters = noCounts();
    const identification = classifier(setup, counters);
    return {
      variables: identification.variables,
      counters,
      loss: (embeddings, labels, { gamma }, given) =>
        identification.loss(halfLayer(embeddings, gamma), labels, given?.labelSets),
    };
  },
});
