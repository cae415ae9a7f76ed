/**
 * Cross-entropy of a classifier on the embeddings.
 *
 * The classifier (PReLU and one fully connected layer) trains with the network. No distance is learned.
 *
 * @equation
 * mean over images of  -log softmax(W prelu(e) + c)[class]
 * @when A baseline is needed, or only the class of the nearest images matters: such embeddings classify well by kNN and
 * rank the whole database poorly.
 * @source The usual classifier; siamese-triplet's ClassificationNet (https://github.com/adambielski/siamese-triplet)
 */
import { classifier } from "../kinds/classifier.ts";
import { defineLoss, noCounts } from "../loss.ts";

export default defineLoss({
  normalise: false,
  selects: "nothing",
  several: true,
  start(setup) {
    const counters = noCounts();
    const { variables, loss } = classifier(setup, counters);
    return {
      variables,
      counters,
      loss: (embeddings, labels, _, given) => loss(embeddings, labels, given?.labelSets),
    };
  },
});
