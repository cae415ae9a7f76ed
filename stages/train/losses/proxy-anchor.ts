/**
 * One learned proxy a class, each an anchor for the batch: the mean over the classes in the batch of
 * log(1 + Σ over the class's images of exp(-alpha (s - delta))), plus the mean over all classes of
 * log(1 + Σ over the other images of exp(alpha (s + delta))), s the cosine of image and proxy (Kim, Kim, Cho & Kwak
 * 2020, equation 4).
 */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../../shared/model.ts";
import { logOnePlusSum } from "../logsum.ts";
import { checkLabels, type Loss, matrixLoss, noCounts, notFinite } from "../loss.ts";
import { scheduled } from "../schedules.ts";

export default {
  normalise: true,
  selects: "nothing",
  params: {
    alpha: scheduled({ default: 32, exclusiveMinimum: 0, description: "sharpness" }),
    delta: scheduled({ default: 0.1, minimum: 0, description: "margin, in cosines" }),
  },
  start({ dim, classes, random }) {
    const first = Float32Array.from({ length: classes * dim }, () => random.normal());
    const proxies = tf.variable(tf.tensor2d(first, [classes, dim]));
    const counters = noCounts();
    return {
      variables: [proxies],
      counters,
      loss(embeddings, labels, params) {
        checkLabels(labels, classes);
        const cosines = tf.matMul(embeddings, tf.transpose(normaliseRows(proxies as tf.Tensor2D)));
        return matrixLoss(cosines as tf.Tensor2D, counters, (values) => {
          const scored = score(values, labels, classes, params as Record<string, number>);
          if (!Number.isFinite(scored.loss)) throw notFinite("the cosines of images and proxies are");
          return scored;
        });
      },
    };
  },
} satisfies Loss;

/** @param cosines `[batch, classes]` */
function score(
  cosines: Float32Array,
  labels: Int32Array,
  classes: number,
  { alpha, delta }: Record<string, number>,
): { loss: number; gradient: Float32Array } {
  const gradient = new Float32Array(cosines.length);
  const present = new Set(labels).size;
  const rows = new Int32Array(labels.length);
  const weights = new Float64Array(labels.length);
  let loss = 0;
  for (let proxy = 0; proxy < classes; proxy++)
    for (const same of [true, false]) {
      let count = 0;
      for (let i = 0; i < labels.length; i++) {
        if ((labels[i] === proxy) !== same) continue;
        const cosine = cosines[i * classes + proxy];
        weights[count] = same ? -alpha * (cosine - delta) : alpha * (cosine + delta);
        rows[count++] = i;
      }
      const share = 1 / (same ? present : classes);
      loss += logOnePlusSum(weights, count) * share;
      for (let k = 0; k < count; k++)
        gradient[rows[k] * classes + proxy] = (same ? -alpha : alpha) * weights[k] * share;
    }
  return { loss, gradient };
}
