/**
 * The cross-entropy of a classifier on the embeddings: the baseline that learns no distance (siamese-triplet's
 * ClassificationNet).
 */
import { classifier } from "../classifier.ts";
import { type Loss, noCounts } from "../loss.ts";

export default {
  normalise: false,
  selects: "nothing",
  start(setup) {
    const counters = noCounts();
    const { variables, loss } = classifier(setup, counters);
    return { variables, counters, loss };
  },
} satisfies Loss;
