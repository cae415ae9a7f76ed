/**
 * Deep supervised discrete hashing: pairs, and bits for a linear classifier.
 *
 * For each batch the codes b and the classifier W are found in turns, b bit by bit (discrete cyclic coordinate descent)
 * and W as a ridge regression; both are constants of the gradient. The paper keeps the codes of all training images; here
 * they are those of the batch.
 *
 * @equation
 * theta_ij = u_i·u_j / 2,  s_ij = 1 for similar images, else 0
 * mean over all pairs of  log(1 + exp(theta_ij)) - s_ij theta_ij
 *     + lambda · mean over images of |u - b|²
 *     + mu · (mean over images of |y - W b|² + nu / batch · |W|²)
 * with the b and W that make the last two parts small; y is 1 at the labels of an image, else 0
 * @when A published baseline is needed that learns codes as bits; dpsh is the same without the classifier.
 * @source Li, Sun, He & Tan 2017, "Deep supervised discrete hashing", section 3.2
 */
import * as tf from "@tensorflow/tfjs-core";
import { discreteCodes } from "../hashing/discrete.ts";
import { checkOutputs } from "../hashing/quantisation.ts";
import { labelFlags } from "../hashing/targets.ts";
import { everyPairLoss, pairLikelihood } from "../kinds/every-pair.ts";
import { checkLabels, defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { memoryParam } from "../scoring/memory.ts";
import { matrixLoss } from "../scoring/ops.ts";

const pairs = everyPairLoss({ of: "inner products", term: () => pairLikelihood(1 / 2) });

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    ...memoryParam,
    lambda: scheduled({ default: 0.1, minimum: 0, description: "weight of the distance to the codes" }),
    mu: scheduled({ default: 0.1, minimum: 0, description: "weight of the classification" }),
    nu: scheduled({ default: 1, exclusiveMinimum: 0, description: "of the ridge: weight of |W|²" }),
    turns: { type: "integer", minimum: 1, default: 3, description: "of finding W and b" },
  },
  start(setup) {
    const { dim, classes } = setup;
    const likelihood = pairs.start(setup);
    return {
      ...likelihood,
      loss(embeddings, labels, { lambda, mu, nu, turns, ...params }, given) {
        checkLabels(labels, classes);
        const images = labels.length;
        const flags = labelFlags(labels, classes, given?.labelSets);
        const discrete = matrixLoss(embeddings, likelihood.counters, (outputs) => {
          checkOutputs(outputs);
          const { codes, classified } = discreteCodes(outputs, flags, dim, { lambda, mu, nu, turns });
          let apart = 0;
          const gradient = outputs.map((output, at) => {
            const off = output - codes[at];
            apart += off * off;
            return (2 * lambda * off) / images;
          });
          return { loss: (lambda * apart + mu * classified) / images, gradient };
        });
        return tf.add(likelihood.loss(embeddings, labels, params, given), discrete) as tf.Scalar;
      },
    };
  },
});
