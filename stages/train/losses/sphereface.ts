/**
 * SphereFace: cross-entropy with the angle of the own class multiplied.
 *
 * Weights have length 1, embeddings keep theirs. psi continues cos(margin · angle) so that it falls from 0 to 180
 * degrees.
 *
 * @equation
 * psi(angle) = (-1)^k cos(margin · angle) - 2k,  k = floor(margin · angle / 180°)
 * mean over images of  -log softmax(scale |e| (cos(angle(e, w)), psi(angle) at the own class))[class]
 * @when A published baseline of angular margins is needed; cosface and arcface train more steadily.
 * @source Liu, Wen, Yu, Li, Raj & Song 2017, "SphereFace: Deep hypersphere embedding for face recognition"
 */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { crossEntropy } from "../kinds/classifier.ts";
import { checkLabels, defineLoss, noCounts, notFinite } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { matrixLoss } from "../scoring/ops.ts";

/** Below this sine the slope of a multiplied angle is cut: at angle 0 it has none. */
const LEAST_SINE = 1e-6;

export default defineLoss({
  normalise: false,
  selects: "nothing",
  params: {
    margin: { type: "integer", minimum: 1, default: 4, description: "m, multiplies the angle" },
    scale: scheduled({ default: 1, exclusiveMinimum: 0, description: "of the scores" }),
  },
  start({ dim, classes, random }) {
    const first = Float32Array.from({ length: classes * dim }, () => random.normal());
    const weights = tf.variable(tf.tensor2d(first, [classes, dim]));
    const counters = noCounts();
    return {
      variables: [weights],
      counters,
      loss(embeddings, labels, { margin, scale }) {
        checkLabels(labels, classes);
        const unit = normaliseRows(weights as tf.Tensor2D);
        const cosines = tf.matMul(normaliseRows(embeddings), tf.transpose(unit)) as tf.Tensor2D;
        const lengths = tf.norm(embeddings, "euclidean", 1, true);
        const bent = bendOwn(cosines, labels, margin);
        const scores = tf.mul(tf.mul(bent, lengths), scale) as tf.Tensor2D;
        return matrixLoss(scores, counters, (values) => {
          const scored = crossEntropy(values, labels, classes);
          if (!Number.isFinite(scored.loss)) throw notFinite("the scores of images and weights are");
          counters.correct = (counters.correct ?? 0) + scored.correct;
          return scored;
        });
      },
    };
  },
});

/** Cosines `[batch, classes]` with psi at each image's own class. */
function bendOwn(cosines: tf.Tensor2D, labels: Int32Array, margin: number): tf.Tensor2D {
  const op = tf.customGrad((x) => {
    const { shape } = x as tf.Tensor2D;
    const values = Float32Array.from((x as tf.Tensor).dataSync());
    const slopes = new Float32Array(values.length).fill(1);
    for (const [i, label] of labels.entries()) {
      const at = i * shape[1] + label;
      const cosine = Math.max(-1, Math.min(1, values[at]));
      const angle = Math.acos(cosine);
      const k = Math.min(margin - 1, Math.floor((margin * angle) / Math.PI));
      const side = k % 2 === 0 ? 1 : -1;
      values[at] = side * Math.cos(margin * angle) - 2 * k;
      const sine = Math.max(LEAST_SINE, Math.sqrt(1 - cosine * cosine));
      slopes[at] = (side * margin * Math.sin(margin * angle)) / sine;
    }
    return {
      value: tf.tensor2d(values, shape),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.tensor2d(slopes, shape)),
    };
  });
  return op(cosines) as tf.Tensor2D;
}
