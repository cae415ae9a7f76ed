/**
 * OrthoHash: one classifier of cosines whose weights are the codes of the classes.
 *
 * The codes are fixed and far apart, as those of csq: a large cosine with a code is a small Hamming distance. With
 * several labels the target is spread evenly over them. The batch norm that the paper puts before the outputs is part of
 * the network there, and not here.
 *
 * @equation
 * mean over images of  -Σ over the image's classes c of  1/labels ·
 *     log softmax(scale (cos(u, code of c) - margin at every own class))[c]
 * @when Codes are trained on many classes, with one loss and without pairs. The scale grows with the number of bits.
 * @source Hoe, Ng, Zhang, Chan, Song & Xiang 2021, "One loss for all: Deep hashing with a single cosine similarity
 * based learning objective"
 */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { hashCentres } from "../hashing/centres.ts";
import { softTargets } from "../hashing/targets.ts";
import { checkLabels, defineLoss, noCounts, notFinite } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { logSum } from "../scoring/logsum.ts";
import { matrixLoss } from "../scoring/ops.ts";

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    scale: scheduled({ default: 8, exclusiveMinimum: 0, description: "s" }),
    margin: scheduled({ default: 0.2, minimum: 0, maximum: 2, description: "m, in cosines" }),
  },
  start({ dim, classes, random }) {
    const counters = noCounts();
    const codes = hashCentres(classes, dim, random);
    return {
      variables: [],
      counters,
      loss(embeddings, labels, { scale, margin }, given) {
        checkLabels(labels, classes);
        const targets = softTargets(labels, classes, given?.labelSets);
        const weights = tf.tensor2d(
          Float32Array.from(codes, (bit) => bit / Math.sqrt(dim)),
          [classes, dim],
        );
        const cosines = tf.matMul(normaliseRows(embeddings), weights, false, true) as tf.Tensor2D;
        return matrixLoss(cosines, counters, (values) => {
          const scored = scoreTargets(values, targets, classes, scale, margin);
          if (!Number.isFinite(scored.loss)) throw notFinite("the cosines of outputs and codes are");
          return scored;
        });
      },
    };
  },
});

/**
 * @param cosines `[batch, classes]`
 * @param targets `[batch, classes]`, each row with the sum 1
 */
export function scoreTargets(
  cosines: Float32Array,
  targets: Float32Array,
  classes: number,
  scale: number,
  margin: number,
): { loss: number; gradient: Float32Array } {
  const batch = cosines.length / classes;
  const gradient = new Float32Array(cosines.length);
  const logits = new Float64Array(classes);
  let loss = 0;
  for (let i = 0; i < batch; i++) {
    const row = i * classes;
    for (let c = 0; c < classes; c++) {
      logits[c] = scale * (cosines[row + c] - (targets[row + c] > 0 ? margin : 0));
      loss -= (targets[row + c] * logits[c]) / batch;
    }
    loss += logSum(logits, classes) / batch;
    for (let c = 0; c < classes; c++) gradient[row + c] = (scale * (logits[c] - targets[row + c])) / batch;
  }
  return { loss, gradient };
}
