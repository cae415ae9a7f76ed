/**
 * Contrastive loss of signal-to-noise ratios.
 *
 * The variance of an embedding over its dimensions is the signal, that of the difference of two embeddings the noise.
 *
 * @equation
 * d_ij = var(e_j - e_i) / var(e_i)
 * mean over positive pairs with a loss of  max(0, d_ij - near)  +  mean over negative pairs with a loss of
 * max(0, margin - d_ij)
 * @when Distances should be read against the strength of the signal. Without `normalise` embeddings keep their lengths, and
 * the ratio depends on which of the two is the anchor.
 * @source Yuan, Deng, Tang, Tang & Chen 2019, "Signal-to-noise ratio: A robust distance metric for deep metric
 * learning"
 */
import * as tf from "@tensorflow/tfjs-core";
import { defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { gramLoss } from "../scoring/ops.ts";

interface Params {
  near: number;
  margin: number;
}

export default defineLoss({
  normalise: true,
  selects: "nothing",
  several: true,
  params: {
    near: scheduled({ default: 0.01, minimum: 0, description: "ratio up to which a positive has no loss" }),
    margin: scheduled({
      default: 0.2,
      exclusiveMinimum: 0,
      description: "ratio from which a negative has none",
    }),
  },
  start() {
    const ratios = gramLoss(score);
    return {
      ...ratios,
      variables: [],
      // Of embeddings without their mean over the dimensions, variances are inner products.
      loss: (embeddings, labels, params, given) =>
        ratios.loss(tf.sub(embeddings, tf.mean(embeddings, 1, true)) as tf.Tensor2D, labels, params, given),
    };
  },
});

function score({ size, similar }: Batch, gram: Float32Array, { near, margin }: Params): Scored {
  const gradient = new Float32Array(size * size);
  const found = { near: { loss: 0, at: [] as number[] }, far: { loss: 0, at: [] as number[] } };
  for (let i = 0; i < size; i++) {
    const signal = gram[i * size + i];
    if (signal === 0) continue; // a constant embedding has no direction
    for (let j = 0; j < size; j++) {
      if (j === i) continue;
      const ratio = (signal + gram[j * size + j] - 2 * gram[i * size + j]) / signal;
      const same = similar(i, j);
      const missing = same ? ratio - near : margin - ratio;
      if (missing <= 0) continue;
      const part = same ? found.near : found.far;
      part.loss += missing;
      part.at.push(i * size + j);
    }
  }
  let loss = 0;
  for (const [side, part] of [
    [1, found.near],
    [-1, found.far],
  ] as const) {
    if (part.at.length === 0) continue;
    loss += part.loss / part.at.length;
    for (const at of part.at) {
      const i = Math.floor(at / size);
      const j = at % size;
      const signal = gram[i * size + i];
      const slope = side / part.at.length / signal;
      gradient[j * size + j] += slope;
      gradient[at] -= 2 * slope;
      // d/dsignal of 1 + (g_jj - 2 g_ij) / signal
      gradient[i * size + i] -= (slope * (gram[j * size + j] - 2 * gram[at])) / signal;
    }
  }
  return { loss, gradient, count: size * (size - 1), active: found.near.at.length + found.far.at.length };
}
