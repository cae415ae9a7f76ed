/**
 * Bi-half without labels: codes whose cosines are those of the features.
 *
 * The bits are halves as in bihalf. The images of the first half of a batch are paired with those of the second; batches
 * are drawn at random, best by the sampler shuffled, which sees no labels. Labels still choose the step by validation.
 *
 * @equation
 * b = 1 for the floor(batch / 2) largest outputs of a bit, else -1;  x = the features that the network is given
 * mean over pairs of  (cos(b_i, b_j) - cos(x_i, x_j))²
 * gradient of u  +=  gamma (u - b) / (batch · bits)
 * @when There are no labels to learn from.
 * @source Li & van Gemert 2021, "Deep unsupervised image hashing by maximizing bit entropy", equation 10
 */
import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../../../runner/stage.ts";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { defineLoss, noCounts } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import type { Given } from "../scoring/batch.ts";
import { halfLayer } from "./bihalf.ts";

/** The cosines of row i and row `pairs` + i. */
function cosinesOfHalves(rows: tf.Tensor2D, pairs: number): tf.Tensor1D {
  const unit = normaliseRows(rows);
  const dim = rows.shape[1];
  const half = (from: number) => tf.slice(unit, [from, 0], [pairs, dim]);
  return tf.sum(tf.mul(half(0), half(pairs)), 1) as tf.Tensor1D;
}

/** The same of features. @throws Error where there are none, UserError where they are images */
function featureCosines({ examples }: Given, pairs: number): tf.Tensor1D {
  if (!examples)
    throw new Error(
      'the loss "bihalf-unsupervised" compares codes with features: give it the examples of the batch',
    );
  if (examples.shape.length !== 2)
    throw new UserError(
      'train: the loss "bihalf-unsupervised" compares codes with features, but the network is given images. Extract features, and train a head on them.',
    );
  const { values } = examples;
  const dim = examples.shape[1];
  const cosines = Float32Array.from({ length: pairs }, (_, pair) => {
    let [inner, first, second] = [0, 0, 0];
    for (let i = pair * dim, j = (pairs + pair) * dim, end = i + dim; i < end; i++, j++) {
      inner += values[i] * values[j];
      first += values[i] * values[i];
      second += values[j] * values[j];
    }
    return inner / Math.max(Math.sqrt(first * second), 1e-12);
  });
  return tf.tensor1d(cosines);
}

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  unlabelled: true,
  params: {
    gamma: scheduled({ default: 6, minimum: 0, description: "weight of the distance to the bits" }),
  },
  start: () => ({
    variables: [],
    counters: noCounts(),
    loss(embeddings, _, { gamma }, given = {}) {
      const pairs = embeddings.shape[0] >> 1;
      const bits = halfLayer(embeddings, gamma);
      if (pairs === 0) return tf.mul(tf.sum(bits), 0) as tf.Scalar;
      const wanted = featureCosines(given, pairs);
      return tf.mean(tf.squaredDifference(cosinesOfHalves(bits, pairs), wanted)) as tf.Scalar;
    },
  }),
});
