/**
 * Proxy-anchor loss: one learned proxy for each class.
 *
 * Each proxy is an anchor, and the images of the batch are its positives and negatives; images are not compared with
 * each other.
 *
 * @equation
 * s = cosine of image and proxy
 * mean over the batch's classes of  log(1 + Σ over images of the class    exp(-alpha (s - delta)))
 *     + mean over all classes of    log(1 + Σ over all other images       exp(alpha (s + delta)))
 * @when The classes are many and a batch holds few images of each. alpha and delta must be chosen for the data: the
 * defaults are the paper's, chosen on other data.
 * @source Kim, Kim, Cho & Kwak 2020, "Proxy anchor loss for deep metric learning", equation 4
 */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { checkLabels, defineLoss, noCounts, notFinite } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { logOnePlusSum } from "../scoring/logsum.ts";
import { matrixLoss } from "../scoring/ops.ts";

export default defineLoss({
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
          const scored = score(values, labels, classes, params);
          if (!Number.isFinite(scored.loss)) throw notFinite("the cosines of images and proxies are");
          return scored;
        });
      },
    };
  },
});

/** @param cosines `[batch, classes]` */
function score(
  cosines: Float32Array,
  labels: Int32Array,
  classes: number,
  { alpha, delta }: { alpha: number; delta: number },
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
