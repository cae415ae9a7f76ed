/**
 * Deep pairwise-supervised hashing: the likelihood of pair labels.
 *
 * The paper sums over all pairs and images; here both parts are means, so that neither depends on the batch size. The
 * loss asks theta to be negative for two classes, and large for one class. Without lambda the outputs grow without
 * limit.
 *
 * @equation
 * theta_ij = u_i·u_j / 2,  s_ij = 1 for one class, else 0
 * mean over the pairs i < j of  log(1 + exp(theta_ij)) - s_ij theta_ij
 *     + lambda · mean over images of |sign(u) - u|²
 * @when A published baseline of pairwise hashing is needed. It has no margin, and takes every pair of the batch.
 * @source Li, Wang & Kang 2016, "Feature learning based deep supervised hashing with pairwise labels", equation 5
 * (lambda is its eta)
 */

import { squaredToSign, withOutputLoss } from "../hashing/quantisation.ts";
import { defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { memoryParam } from "../scoring/memory.ts";
import { gramLoss } from "../scoring/ops.ts";
import { logistic, softplus } from "../scoring/softplus.ts";
import { mean } from "../scoring/tuples.ts";

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    lambda: scheduled({
      default: 0.1,
      minimum: 0,
      description: "eta, weight of the quantisation: the mean over images of |sign(u) - u|²",
    }),
    ...memoryParam,
  },
  start() {
    const likelihood = gramLoss(score);
    return {
      ...likelihood,
      variables: [],
      loss(embeddings, labels, params, given) {
        const loss = likelihood.loss(embeddings, labels, params, given);
        return withOutputLoss(loss, embeddings, likelihood.counters, params.lambda, squaredToSign());
      },
    };
  },
});

function score({ anchors, memory, size, similar }: Batch, gram: Float32Array): Scored {
  const gradient = new Float32Array(anchors * size);
  let loss = 0;
  for (let i = 0; i < anchors; i++)
    for (let j = memory ? 0 : i + 1; j < size; j++) {
      if (i === j) continue;
      // log(1 + exp(t)) - t = log(1 + exp(-t)).
      const side = similar(i, j) ? -1 : 1;
      const theta = gram[i * size + j] / 2;
      loss += softplus(side * theta);
      gradient[i * size + j] = (side * logistic(side * theta)) / 2;
    }
  const pairs = (anchors * (size - 1)) / (memory ? 1 : 2);
  return mean(gradient, loss, pairs, pairs);
}
