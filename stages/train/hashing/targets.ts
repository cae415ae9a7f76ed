/** Losses with a target code for each class. */
import type * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../../../runner/stage.ts";
import { type Counters, checkLabels } from "../loss.ts";
import { matrixLoss } from "../scoring/ops.ts";
import { checkOutputs } from "./quantisation.ts";

/** The loss of one output and its slope; `at` computes them. */
export interface AgreementTerm {
  loss: number;
  slope: number;
  /** @param agreement the output times the bit (-1 or 1) that it should have */
  at(agreement: number): void;
}

/**
 * The mean over images and bits of a term of the outputs' agreement with the code of their class.
 * @param embeddings `[batch, bits]`
 * @param codes `[classes, bits]`, -1 or 1
 * @param counters counts the seconds; there are no pairs or triplets to count
 */
export function targetLoss(
  embeddings: tf.Tensor2D,
  labels: Int32Array,
  codes: Int8Array,
  counters: Counters,
  term: AgreementTerm,
): tf.Scalar {
  const [images, bits] = embeddings.shape;
  checkLabels(labels, codes.length / bits);
  return matrixLoss(embeddings, counters, (values) => {
    checkOutputs(values);
    const gradient = new Float32Array(values.length);
    let loss = 0;
    for (let i = 0; i < images; i++) {
      for (let bit = 0; bit < bits; bit++) {
        const target = codes[labels[i] * bits + bit];
        term.at(target * values[i * bits + bit]);
        loss += term.loss;
        gradient[i * bits + bit] = (target * term.slope) / values.length;
      }
    }
    return { loss: loss / values.length, gradient };
  });
}

/** @throws UserError when there are more classes than codes */
export function checkRoom(classes: number, bits: number): void {
  if (classes > 2 ** bits)
    throw new UserError(
      `train: ${bits} bits make ${2 ** bits} codes, but there are ${classes} classes, and each needs its own. Raise dim to ${Math.ceil(Math.log2(classes))} or more.`,
    );
}
