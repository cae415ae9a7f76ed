/**
 * Codes inferred from triplets of classes, then fitted bit by bit.
 *
 * Before the first step, a code for each class is inferred from triplets of classes: each bit is a binary quadratic
 * problem. The network then learns each bit as a classification of two classes, and is asked for no more than an output
 * of 1. Differences from the paper: triplets come from labels, so that there is one code for each class and not for
 * each image; the loss of a triplet is exponential and not a hinge; a local search from several random starts replaces
 * block-wise graph cuts; all bits are fitted at once.
 *
 * @equation
 * c = the bit of the class's code, -1 or 1
 * mean over images and bits of  max(0, 1 - c u)
 * @when Codes are short (about 12 bits). It has no param to choose and needs neither pairs in the batch nor a selector.
 * @source Zhuang, Lin, Shen & Reid 2016, "Fast training of triplet-based deep binary embedding networks"
 */
import { inferCodes } from "../hashing/inference.ts";
import { type AgreementTerm, targetLoss } from "../hashing/targets.ts";
import { defineLoss, noCounts } from "../loss.ts";

const hinge = (): AgreementTerm => ({
  loss: 0,
  slope: 0,
  at(agreement) {
    this.loss = Math.max(0, 1 - agreement);
    this.slope = agreement < 1 ? -1 : 0;
  },
});

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  start({ dim, classes, random }) {
    const counters = noCounts();
    const codes = inferCodes(classes, dim, random);
    return {
      variables: [],
      counters,
      loss: (embeddings, labels) => targetLoss(embeddings, labels, codes, counters, hinge()),
    };
  },
});
