/**
 * The loss of outputs far from -1 and 1. The outputs of a last layer without activation have no bounds, and
 * a loss of inner products gains by longer ones: this keeps them near -1 and 1, so that little is lost by the sign.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type Counters, notFinite } from "../loss.ts";
import { matrixLoss } from "../scoring/ops.ts";

/** A bit as a number: 1 for an output above 0, else -1. */
export const signOf = (value: number): number => (value > 0 ? 1 : -1);

/** @throws UserError when an output is NaN or infinite */
export function checkOutputs(values: Float32Array): void {
  const broken = values.reduce((count, value) => count + Number(!Number.isFinite(value)), 0);
  if (broken > 0) throw notFinite(`${broken} of the batch's ${values.length} outputs are`);
}

/** One output's loss and its slope, written by `at`. */
export interface OutputTerm {
  loss: number;
  slope: number;
  at(value: number): void;
}

/** (u - sign u)²: the distance of outputs and code, squared (Li, Wang & Kang 2016, equation 5). */
export const squaredToSign = (): OutputTerm => ({
  loss: 0,
  slope: 0,
  at(value) {
    const off = value - signOf(value);
    this.loss = off * off;
    this.slope = 2 * off;
  },
});

/**
 * weight times the mean over the images of the sum over their bits. Summed over bits, not averaged, as the papers
 * have it: how hard one output is drawn to its bit does then not depend on how many bits there are.
 * @param embeddings `[batch, bits]`
 */
export function outputLoss(
  embeddings: tf.Tensor2D,
  counters: Counters,
  weight: number,
  term: OutputTerm,
): tf.Scalar {
  const images = embeddings.shape[0];
  return matrixLoss(embeddings, counters, (values) => {
    checkOutputs(values);
    const gradient = new Float32Array(values.length);
    const scale = weight / images;
    let loss = 0;
    for (let k = 0; k < values.length; k++) {
      term.at(values[k]);
      loss += term.loss;
      gradient[k] = scale * term.slope;
    }
    return { loss: scale * loss, gradient };
  });
}

/** A loss plus the loss of its outputs; with a weight of 0, the loss alone. */
export function withOutputLoss(
  loss: tf.Scalar,
  embeddings: tf.Tensor2D,
  counters: Counters,
  weight: number,
  term: OutputTerm,
): tf.Scalar {
  if (weight === 0) return loss;
  return tf.add(loss, outputLoss(embeddings, counters, weight, term)) as tf.Scalar;
}
