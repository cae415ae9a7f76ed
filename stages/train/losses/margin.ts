/**
 * Margin loss: positives within, negatives beyond a radius that is learned.
 *
 * The radius beta trains with the network, one for all classes. The loss is a mean over the triplets' parts that have a
 * loss.
 *
 * @equation
 * d = distance on the unit sphere; sums over triplets, divided by the number of parts above 0
 * max(0, d_ap - beta + margin) + max(0, beta - d_an + margin)
 * @when Hard negatives are drawn with distance-weighted: the paper pairs the two. Unlike a triplet loss it bounds
 * distances themselves, so one threshold separates pairs.
 * @source Wu, Manmatha, Smola & Krähenbühl 2017, "Sampling matters in deep embedding learning"
 */
import * as tf from "@tensorflow/tfjs-core";
import { chooseTriplets } from "../kinds/triplets.ts";
import { defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored, Triplets } from "../scoring/batch.ts";
import { memoryParam } from "../scoring/memory.ts";
import { distanceLoss } from "../scoring/ops.ts";
import { everyTriplet, mean } from "../scoring/tuples.ts";

export default defineLoss({
  normalise: true,
  selects: "triplets",
  several: true,
  params: {
    margin: scheduled({ default: 0.2, minimum: 0, description: "alpha, a distance" }),
    beta: {
      type: "number",
      exclusiveMinimum: 0,
      default: 1.2,
      description: "the radius at the start, a distance",
    },
    learn_beta: { type: "boolean", default: true, description: "whether the radius trains" },
    ...memoryParam,
  },
  start({ selector, params: { beta: first, learn_beta: learns } }) {
    const beta = tf.variable(tf.scalar(first as number), learns as boolean);
    // dloss / dbeta of the last batch.
    let slope = 0;
    const distances = distanceLoss((batch, { margin }: { margin: number }, given) => {
      const radius = beta.dataSync()[0];
      const triplets = chooseTriplets(batch, given.triplets, selector, Number.POSITIVE_INFINITY);
      const listed = triplets !== "all" && "anchors" in triplets ? triplets : everyTriplet(batch);
      const scored = score(batch, listed, margin, radius);
      slope = scored.slope;
      return scored;
    });
    return {
      ...distances,
      variables: learns ? [beta] : [],
      loss(embeddings, labels, params, given) {
        const loss = distances.loss(embeddings, labels, params, given);
        if (!learns) return loss;
        // Adds nothing to the value, and the slope to the gradient of beta.
        const still = tf.scalar(beta.dataSync()[0]);
        return tf.add(loss, tf.mul(tf.sub(beta, still), slope)) as tf.Scalar;
      },
    };
  },
});

function score(
  { size, squared }: Batch,
  { anchors, positives, negatives, count }: Triplets,
  margin: number,
  beta: number,
): Scored & { slope: number } {
  const gradient = new Float32Array(squared.length);
  let loss = 0;
  let slope = 0;
  let parts = 0;
  let active = 0;
  // d|x| / d|x|² = 1 / (2|x|); where two embeddings coincide the direction is undefined, and 0 is taken.
  const add = (at: number, missing: number, side: number): boolean => {
    if (missing <= 0) return false;
    parts++;
    loss += missing;
    slope -= side;
    if (squared[at] > 0) gradient[at] += side / (2 * Math.sqrt(squared[at]));
    return true;
  };
  for (let t = 0; t < count; t++) {
    const ap = anchors[t] * size + positives[t];
    const an = anchors[t] * size + negatives[t];
    const far = add(ap, Math.sqrt(squared[ap]) - beta + margin, 1);
    const near = add(an, beta - Math.sqrt(squared[an]) + margin, -1);
    if (far || near) active++;
  }
  const scored = mean(gradient, loss, parts, active);
  return { ...scored, count, slope: parts > 0 ? slope / parts : 0 };
}
