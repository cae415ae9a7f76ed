/** A classifier on top of the embeddings, with the cross-entropy of its softmax. */
import * as tf from "@tensorflow/tfjs-core";
import { type Counters, checkLabels, type LossSetup, notFinite } from "../loss.ts";
import { matrixLoss } from "../scoring/ops.ts";
import { logistic, softplus } from "../scoring/softplus.ts";

export interface Classifier {
  /** Weights `[dim, classes]`, bias `[classes]`, the slope of the PReLU `[]`. */
  variables: tf.Variable[];
  /**
   * See {@link labelEntropy}.
   * @param embeddings `[batch, dim]`
   */
  loss(embeddings: tf.Tensor2D, labels: Int32Array, labelSets?: Uint8Array): tf.Scalar;
}

/**
 * PReLU and one layer, as siamese-triplet's ClassificationNet has them.
 * @param counters counts correctly classified images as `correct`; there are no pairs or triplets to count
 */
export function classifier({ dim, classes, random }: LossSetup, counters: Counters): Classifier {
  const bound = 1 / Math.sqrt(dim);
  const first = Float32Array.from({ length: dim * classes }, () => (2 * random.float() - 1) * bound);
  const weights = tf.variable(tf.tensor2d(first, [dim, classes]));
  const bias = tf.variable(tf.zeros([classes]));
  const slope = tf.variable(tf.scalar(0.25));
  counters.correct = 0;
  return {
    variables: [weights, bias, slope],
    loss(embeddings, labels, labelSets) {
      checkLabels(labels, classes);
      const bent = tf.sub(tf.relu(embeddings), tf.mul(slope, tf.relu(tf.neg(embeddings))));
      const logits = tf.add(tf.matMul(bent as tf.Tensor2D, weights as tf.Tensor2D), bias) as tf.Tensor2D;
      return matrixLoss(logits, counters, (values) => {
        const scored = labelEntropy(values, labels, classes, labelSets);
        if (!Number.isFinite(scored.loss)) throw notFinite("the classifier's scores are");
        counters.correct! += scored.correct;
        return scored;
      });
    },
  };
}

/**
 * The mean of -log softmax(right class) over the batch; where images may have several labels, the mean of the sums over
 * classes of binary cross-entropies.
 * @param logits `[batch, classes]`
 * @returns also the gradient, and how many images have their largest score at a class of theirs
 */
export function labelEntropy(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  labelSets?: Uint8Array,
): { loss: number; gradient: Float32Array; correct: number } {
  return labelSets ? binaryEntropy(logits, labelSets, classes) : crossEntropy(logits, labels, classes);
}

function binaryEntropy(
  logits: Float32Array,
  labelSets: Uint8Array,
  classes: number,
): { loss: number; gradient: Float32Array; correct: number } {
  const batch = logits.length / classes;
  let loss = 0;
  let correct = 0;
  const gradient = logits.map((logit, at) => {
    loss += (softplus(logit) - labelSets[at] * logit) / batch;
    return (logistic(logit) - labelSets[at]) / batch;
  });
  for (let row = 0; row < logits.length; row += classes) {
    let best = row;
    for (let at = row; at < row + classes; at++) if (logits[at] > logits[best]) best = at;
    correct += labelSets[best];
  }
  return { loss, gradient, correct };
}

/** @param logits `[batch, classes]` @returns the mean loss, its gradient, and the number of correctly classified images */
export function crossEntropy(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
): { loss: number; gradient: Float32Array; correct: number } {
  const batch = labels.length;
  const gradient = new Float32Array(logits.length);
  let loss = 0;
  let correct = 0;
  for (let i = 0; i < batch; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    let best = 0;
    for (let c = 1; c < classes; c++) if (row[c] > row[best]) best = c;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(row[c] - row[best]);
    for (let c = 0; c < classes; c++)
      gradient[i * classes + c] = (Math.exp(row[c] - row[best]) / sum - Number(c === labels[i])) / batch;
    loss += Math.log(sum) + row[best] - row[labels[i]];
    if (best === labels[i]) correct++;
  }
  return { loss: loss / batch, gradient, correct };
}
