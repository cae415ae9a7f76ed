/**
 * Ranked list loss: positives inside a sphere, negatives outside a larger one.
 *
 * Negatives are weighted by how far they are inside. The loss is the mean over anchors.
 *
 * @equation
 * d = distance on the unit sphere, alpha = 1 + margin / 2
 * mean over anchors of  (1 - imbalance) · mean over positives with d_ap > alpha - margin of  d_ap - (alpha - margin)
 *     + imbalance · mean over negatives with d_an < alpha of  alpha - d_an, by weights exp(temperature (alpha - d_an))
 * @when Classes should keep their spread: positives inside the sphere are left alone.
 * @source Wang, Hua, Kodirov, Hu, Garnier & Robertson 2019, "Ranked list loss for deep metric learning" (temperature is
 * T_n, imbalance lambda)
 */
import { euclideanLoss } from "../kinds/batches.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { mean } from "../scoring/tuples.ts";

/** Added for each place of a row to a sum of weights, as pytorch-metric-learning does: no anchor divides by 0. */
const EPSILON = 1e-5;

interface Params {
  margin: number;
  temperature: number;
  imbalance: number;
}

export default euclideanLoss({
  params: {
    margin: scheduled({ default: 0.4, exclusiveMinimum: 0, maximum: 2, description: "between the spheres" }),
    temperature: scheduled({ default: 10, minimum: 0, description: "T_n, of the negatives' weights" }),
    imbalance: scheduled({ default: 0.5, minimum: 0, maximum: 1, description: "share of the negatives" }),
  },
  score,
});

function score(
  { anchors, size, members, negatives }: Batch,
  distances: Float32Array,
  { margin, temperature, imbalance }: Params,
): Scored {
  const gradient = new Float32Array(anchors * size);
  const outer = 1 + margin / 2;
  const inner = outer - margin;
  let loss = 0;
  let active = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const row = anchor * size;
    const far = members[anchor].filter((j) => j !== anchor && distances[row + j] > inner);
    const share = (1 - imbalance) / (far.length + EPSILON * size);
    for (const j of far) {
      loss += share * (distances[row + j] - inner);
      gradient[row + j] = share;
    }
    const near = negatives[anchor].filter((j) => distances[row + j] < outer);
    let weights = EPSILON * size;
    let sum = 0;
    for (const j of near) {
      const depth = outer - distances[row + j];
      const weight = Math.exp(temperature * depth);
      weights += weight;
      sum += weight * depth;
    }
    const average = sum / weights;
    loss += imbalance * average;
    for (const j of near) {
      const depth = outer - distances[row + j];
      const weight = Math.exp(temperature * depth);
      gradient[row + j] = (-imbalance * weight * (1 + temperature * (depth - average))) / weights;
    }
    active += far.length + near.length;
  }
  const scored = mean(gradient, loss, anchors, anchors);
  return { ...scored, count: anchors * (size - 1), active };
}
