/**
 * Histogram loss: the overlap of the cosines of positive and of negative pairs.
 *
 * It is the probability that a random negative pair is more similar than a random positive pair. Each cosine counts in the
 * two nearest nodes, by its nearness.
 *
 * @equation
 * p_p, p_n: histograms of the cosines of positive and of negative pairs, each with the sum 1
 * Σ over nodes  p_n · Σ up to the node  p_p
 * @when There should be no param to choose: neither a margin nor a temperature. Batches must be large enough for two
 * histograms.
 * @source Ustinova & Lempitsky 2016, "Learning deep embeddings with histogram loss"
 */
import { cosineLoss } from "../kinds/batches.ts";
import type { Batch, Scored } from "../scoring/batch.ts";

export default cosineLoss({
  memory: false,
  params: {
    nodes: { type: "integer", minimum: 3, default: 101, description: "of the histograms, over [-1, 1]" },
  },
  score,
});

function score({ size, similar }: Batch, cosines: Float32Array, { nodes }: { nodes: number }): Scored {
  const gradient = new Float32Array(size * size);
  const width = 2 / (nodes - 1);
  const near = new Float64Array(nodes);
  const far = new Float64Array(nodes);
  let [positives, negatives] = [0, 0];
  const nodeOf = (cosine: number): number =>
    Math.max(0, Math.min(nodes - 2, Math.floor((cosine + 1) / width)));
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const cosine = cosines[i * size + j];
      const node = nodeOf(cosine);
      const above = Math.max(0, Math.min(1, (cosine + 1) / width - node));
      const same = similar(i, j);
      const histogram = same ? near : far;
      histogram[node] += 1 - above;
      histogram[node + 1] += above;
      if (same) positives++;
      else negatives++;
    }
  const pairs = positives + negatives;
  if (positives === 0 || negatives === 0) return { loss: 0, gradient, count: pairs, active: 0 };
  const slopesNear = new Float64Array(nodes);
  const slopesFar = new Float64Array(nodes);
  let sum = 0;
  let loss = 0;
  for (let node = 0; node < nodes; node++) {
    sum += near[node] / positives;
    slopesFar[node] = sum / negatives;
    loss += (far[node] / negatives) * sum;
  }
  for (let node = nodes - 1, rest = 0; node >= 0; node--) {
    rest += far[node] / negatives;
    slopesNear[node] = rest / positives;
  }
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const cosine = cosines[i * size + j];
      if (cosine <= -1 || cosine >= 1) continue;
      const node = nodeOf(cosine);
      const slopes = similar(i, j) ? slopesNear : slopesFar;
      gradient[i * size + j] = (slopes[node + 1] - slopes[node]) / width;
    }
  return { loss, gradient, count: pairs, active: pairs };
}
