/**
 * A classifier's cross-entropy plus the contrastive loss of pairs.
 *
 * Identification is the classifier (PReLU and one fully connected layer, which train with the network); verification is
 * the contrastive loss, the mean over the selected pairs.
 *
 * @equation
 * mean over images of  -log softmax(W prelu(e) + c)[class]
 *     + weight · mean over pairs of
 *           same class:         |a-b|² / 2
 *           different classes:  max(0, margin - |a-b|)² / 2
 * @when The class of the nearest images matters (kNN) more than the ranking of the whole database.
 * @source Sun, Chen, Wang & Tang 2014, "Deep learning face representation by joint identification-verification",
 * equations 1 to 3 (weight is its lambda)
 */
import * as tf from "@tensorflow/tfjs-core";
import { classifier } from "../kinds/classifier.ts";
import { choosePairs } from "../kinds/pairs.ts";
import { defineLoss, noCounts } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { memoryParam } from "../scoring/memory.ts";
import { distanceLoss } from "../scoring/ops.ts";
import { contrastiveTerm } from "../scoring/term.ts";
import { scorePairs } from "../scoring/tuples.ts";

export default defineLoss({
  normalise: false,
  selects: "pairs",
  several: true,
  params: {
    margin: scheduled({
      default: 1,
      exclusiveMinimum: 0,
      description: "how far apart negative pairs must be, a distance",
    }),
    weight: scheduled({ default: 0.05, minimum: 0, description: "lambda, of the verification" }),
    ...memoryParam,
  },
  start(setup) {
    const verification = distanceLoss((batch, { margin }: { margin: number }, given) =>
      scorePairs(batch, choosePairs(batch, given.pairs, setup.selector), contrastiveTerm(margin)),
    );
    const identified = noCounts();
    const identification = classifier(setup, identified);
    return {
      variables: identification.variables,
      // The counts are those of the pairs; the classifier adds its seconds and its correct answers.
      counters: {
        get selected() {
          return verification.counters.selected;
        },
        get active() {
          return verification.counters.active;
        },
        get selectSeconds() {
          return verification.counters.selectSeconds + identified.selectSeconds;
        },
        get correct() {
          return identified.correct;
        },
      },
      loss(embeddings, labels, params, given) {
        const verified = verification.loss(embeddings, labels, params, given);
        const identity = identification.loss(embeddings, labels, given?.labelSets);
        return tf.add(identity, tf.mul(verified, params.weight)) as tf.Scalar;
      },
    };
  },
});
