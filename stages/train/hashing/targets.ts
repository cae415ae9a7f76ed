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
 * @param labelSets see `Given`: the code of an image with several labels is the sign of the sum of their codes
 */
export function targetLoss(
  embeddings: tf.Tensor2D,
  labels: Int32Array,
  codes: Int8Array,
  counters: Counters,
  term: AgreementTerm,
  labelSets?: Uint8Array,
): tf.Scalar {
  const [images, bits] = embeddings.shape;
  checkLabels(labels, codes.length / bits);
  const targets = codesOf(labels, codes, bits, labelSets);
  return matrixLoss(embeddings, counters, (values) => {
    checkOutputs(values);
    const gradient = new Float32Array(values.length);
    let loss = 0;
    for (let i = 0; i < images; i++) {
      for (let bit = 0; bit < bits; bit++) {
        const target = targets[i * bits + bit];
        term.at(target * values[i * bits + bit]);
        loss += term.loss;
        gradient[i * bits + bit] = (target * term.slope) / values.length;
      }
    }
    return { loss: loss / values.length, gradient };
  });
}

/**
 * The code that each image should have, `[batch, bits]`: that of its class, or the sign of the sum of its labels' codes;
 * where that is 0, the bit of the first class's code (Yuan et al. 2020, section 3.2; Fan et al. 2020).
 */
export function codesOf(
  labels: Int32Array,
  codes: Int8Array,
  bits: number,
  labelSets?: Uint8Array,
): Int8Array {
  const targets = new Int8Array(labels.length * bits);
  const classes = codes.length / bits;
  for (const [i, label] of labels.entries())
    for (let bit = 0; bit < bits; bit++) {
      let sum = labelSets ? 0 : codes[label * bits + bit];
      if (labelSets)
        for (let c = 0; c < classes; c++) sum += labelSets[i * classes + c] * codes[c * bits + bit];
      targets[i * bits + bit] = Math.sign(sum) || codes[bit];
    }
  return targets;
}

/** 1 where an image has a label, `[batch, classes]`. */
export function labelFlags(labels: Int32Array, classes: number, labelSets?: Uint8Array): Float32Array {
  if (labelSets) return Float32Array.from(labelSets);
  const flags = new Float32Array(labels.length * classes);
  for (const [i, label] of labels.entries()) flags[i * classes + label] = 1;
  return flags;
}

/** The share of each class in an image's target, `[batch, classes]`: 1 over the number of its labels. */
export function softTargets(labels: Int32Array, classes: number, labelSets?: Uint8Array): Float32Array {
  const targets = labelFlags(labels, classes, labelSets);
  for (let row = 0; row < targets.length; row += classes) {
    const own = targets.subarray(row, row + classes);
    const count = own.reduce((sum, flag) => sum + flag, 0);
    for (let c = 0; c < classes; c++) own[c] /= count;
  }
  return targets;
}

/** @throws UserError when there are more classes than codes */
export function checkRoom(classes: number, bits: number): void {
  if (classes > 2 ** bits)
    throw new UserError(
      `train: ${bits} bits make ${2 ** bits} codes, but there are ${classes} classes, and each needs its own. Raise dim to ${Math.ceil(Math.log2(classes))} or more.`,
    );
}
