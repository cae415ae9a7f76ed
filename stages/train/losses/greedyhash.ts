/**
 * GreedyHash: a classifier of the signs of the outputs.
 *
 * The classifier (PReLU and one fully connected layer, which train with the network) sees signs; the gradient with
 * respect to the signs is passed to the outputs unchanged. The second part keeps the outputs near their signs. As in
 * the paper's public code, alpha is the weight of a mean.
 *
 * @equation
 * mean over images of  -log softmax(W prelu(sign(u)) + c)[class]
 *     + alpha · mean over images and bits of ||u| - 1|³
 * @when Codes are needed and the batch should need neither pairs nor a selector. It has one weight to choose.
 * @source Su, Zhang, Han & Tian 2018, "Greedy hash: Towards fast optimization for accurate hash coding in CNN",
 * equations 7 and 9
 */
import * as tf from "@tensorflow/tfjs-core";
import { checkOutputs, type OutputTerm, signOf, withOutputLoss } from "../hashing/quantisation.ts";
import { classifier } from "../kinds/classifier.ts";
import { defineLoss, noCounts } from "../loss.ts";
import { scheduled } from "../schedules.ts";

const cubedToSign = (): OutputTerm => ({
  loss: 0,
  slope: 0,
  at(value) {
    const off = value - signOf(value);
    this.loss = Math.abs(off) ** 3;
    this.slope = 3 * off * Math.abs(off);
  },
});

/** The signs, with the gradient of the identity. */
const straightThroughSign = tf.customGrad((x) => {
  const { shape } = x as tf.Tensor;
  const values = (x as tf.Tensor).dataSync() as Float32Array;
  checkOutputs(values);
  return { value: tf.tensor(values.map(signOf), shape), gradFunc: (dy: tf.Tensor) => dy };
});

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    alpha: scheduled({
      default: 0.1,
      minimum: 0,
      description: "weight of the quantisation: the mean over images and bits of ||u| - 1|³",
    }),
  },
  start(setup) {
    const counters = noCounts();
    const identification = classifier(setup, counters);
    return {
      variables: identification.variables,
      counters,
      loss(embeddings, labels, { alpha }, given) {
        const loss = identification.loss(
          straightThroughSign(embeddings) as tf.Tensor2D,
          labels,
          given?.labelSets,
        );
        return withOutputLoss(loss, embeddings, counters, alpha / setup.dim, cubedToSign());
      },
    };
  },
});
