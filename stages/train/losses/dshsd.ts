/**
 * Deep supervised hashing of pairs, with a classifier of the outputs.
 *
 * @equation
 * v = tanh(u)
 * alpha · (mean over all pairs of  s_ij d_ij / 2 + (1 - s_ij) max(0, 2 bits - d_ij) / 2,  d_ij = |v_i - v_j|²)
 *     + mean over images of  -log softmax(W v)[class]
 * with several labels the second part is the sum over classes of binary cross-entropies
 * @when Codes should both rank and classify. alpha weighs the pairs.
 * @source Wu, Ling, Li, Chen, Fang & Zou 2019, "Deep supervised hashing based on stable distribution"; as in
 * https://github.com/swuxyj/DeepHash-pytorch
 */
import * as tf from "@tensorflow/tfjs-core";
import { pairMargin } from "../hashing/pair-margin.ts";
import { labelEntropy } from "../kinds/classifier.ts";
import { everyPairLoss } from "../kinds/every-pair.ts";
import { checkLabels, defineLoss } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { memoryParam } from "../scoring/memory.ts";
import { matrixLoss } from "../scoring/ops.ts";

const pairs = everyPairLoss({
  of: "squared distances",
  term: (_, bits) => pairMargin(2 * bits),
});

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    alpha: scheduled({ default: 0.05, minimum: 0, description: "weight of the pairs" }),
    ...memoryParam,
  },
  start(setup) {
    const { dim, classes, random } = setup;
    const bound = 1 / Math.sqrt(dim);
    const first = Float32Array.from({ length: classes * dim }, () => (2 * random.float() - 1) * bound);
    const weights = tf.variable(tf.tensor2d(first, [classes, dim]));
    const distances = pairs.start(setup);
    const { counters } = distances;
    return {
      variables: [weights],
      counters,
      loss(embeddings, labels, { alpha, ...params }, given) {
        checkLabels(labels, classes);
        const grown = tf.tanh(embeddings) as tf.Tensor2D;
        const scores = tf.matMul(grown, weights as tf.Tensor2D, false, true) as tf.Tensor2D;
        const entropy = matrixLoss(scores, counters, (values) =>
          labelEntropy(values, labels, classes, given?.labelSets),
        );
        return tf.add(entropy, tf.mul(distances.loss(grown, labels, params, given), alpha)) as tf.Scalar;
      },
    };
  },
});
