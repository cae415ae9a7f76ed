/**
 * Deep pairwise-supervised hashing (Li, Wang & Kang 2016, equation 5): the likelihood of pair labels, with theta_ij
 * half the inner product of two outputs and s_ij = 1 for two of one class, else 0. The paper sums
 * log(1 + exp(theta_ij)) - s_ij theta_ij over all pairs, and adds eta Σ |sign(u_i) - u_i|²; here the pairs i < j of
 * the batch are averaged, and so are the images. It asks of two classes that theta be negative, and of one that it be
 * large; without lambda the outputs grow without end.
 */
import type { Batch, Scored } from "../batch.ts";
import { gramLoss, type Loss } from "../loss.ts";
import { squaredToSign, withOutputLoss } from "../quantisation.ts";
import { scheduled } from "../schedules.ts";
import { logistic, softplus } from "../softplus.ts";
import { mean } from "../triplets.ts";

export default {
  normalise: false,
  codes: true,
  selects: "nothing",
  params: {
    lambda: scheduled({
      default: 0.1,
      minimum: 0,
      description: "eta, weight of the quantisation: the mean over images of |sign(u) - u|²",
    }),
  },
  start() {
    const likelihood = gramLoss((batch, gram) => score(batch, gram));
    return {
      ...likelihood,
      variables: [],
      loss(embeddings, labels, params) {
        const loss = likelihood.loss(embeddings, labels, params);
        const weight = params.lambda as number;
        return withOutputLoss(loss, embeddings, likelihood.counters, weight, squaredToSign());
      },
    };
  },
} satisfies Loss;

function score({ size, labels }: Batch, gram: Float32Array): Scored {
  const gradient = new Float32Array(size * size);
  let loss = 0;
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      // log(1 + exp(t)) - t = log(1 + exp(-t)).
      const side = labels[i] === labels[j] ? -1 : 1;
      const theta = gram[i * size + j] / 2;
      loss += softplus(side * theta);
      gradient[i * size + j] = (side * logistic(side * theta)) / 2;
    }
  const pairs = (size * (size - 1)) / 2;
  return mean(gradient, loss, pairs, pairs);
}
