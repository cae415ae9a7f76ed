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
import { mean } from "../scoring/tuples.ts";

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
      const listed = triplets !== "all" && "anchors" in triplets;
      const scored = score(batch, listed ? runsOf(triplets) : everyRun(batch), margin, radius);
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

/** An anchor and a positive with some of its negatives, those from `from` to before `to` of a list. */
type Visit = (anchor: number, positive: number, negatives: Int32Array, from: number, to: number) => void;

/** Each listed triplet by itself. */
const runsOf =
  ({ anchors, positives, negatives, count }: Triplets) =>
  (visit: Visit): void => {
    for (let t = 0; t < count; t++) visit(anchors[t], positives[t], negatives, t, t + 1);
  };

/** Each positive pair with all its negatives. */
const everyRun =
  ({ positives: { first, second, count }, negatives }: Batch) =>
  (visit: Visit): void => {
    for (let pair = 0; pair < count; pair++) {
      const others = negatives[first[pair]];
      visit(first[pair], second[pair], others, 0, others.length);
    }
  };

function score(
  { size, squared }: Batch,
  eachRun: (visit: Visit) => void,
  margin: number,
  beta: number,
): Scored & { slope: number } {
  const gradient = new Float32Array(squared.length);
  const distances = new Float64Array(squared.length);
  for (let at = 0; at < squared.length; at++) distances[at] = Math.sqrt(squared[at]);
  let [loss, slope, parts, active, count] = [0, 0, 0, 0, 0];
  // The gradient counts how often a pair has a loss first.
  eachRun((anchor, positive, negatives, from, to) => {
    const row = anchor * size;
    const far = distances[row + positive] - beta + margin;
    let near = 0;
    for (let k = from; k < to; k++) {
      const missing = beta - distances[row + negatives[k]] + margin;
      if (missing <= 0) continue;
      near++;
      loss += missing;
      gradient[row + negatives[k]]--;
    }
    const others = to - from;
    count += others;
    slope += near;
    parts += near;
    active += far > 0 ? others : near;
    if (far <= 0) return;
    loss += others * far;
    slope -= others;
    parts += others;
    gradient[row + positive] += others;
  });
  // d|x| / d|x|² = 1 / (2|x|); where two embeddings coincide the direction is undefined, and 0 is taken.
  for (let at = 0; at < gradient.length; at++)
    if (gradient[at] !== 0) gradient[at] = distances[at] > 0 ? gradient[at] / (2 * distances[at]) : 0;
  const scored = mean(gradient, loss, parts, active);
  return { ...scored, count, slope: parts > 0 ? slope / parts : 0 };
}
