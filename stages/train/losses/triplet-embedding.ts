/**
 * Two steps, in the spirit of Zhuang, Lin, Shen & Reid 2016 ("Fast training of triplet-based deep binary embedding
 * networks"): target codes are inferred from triplets, bit by bit, each bit a binary quadratic problem; then the
 * network is fitted to them as so many classifications of two classes: the mean over images and bits of
 * max(0, 1 - target u), which asks for no more than an output of 1.
 * What differs from the paper: triplets come from labels, so there is one code a class, inferred from triplets of
 * classes before the first step, and not one an image; the loss of a triplet is exponential, where theirs is a hinge;
 * a local search from several random starts stands for their block-wise graph cuts; all bits are fitted at once.
 */
import { inferCodes } from "../inference.ts";
import { type Loss, noCounts } from "../loss.ts";
import { type AgreementTerm, targetLoss } from "../targets.ts";

const hinge = (): AgreementTerm => ({
  loss: 0,
  slope: 0,
  at(agreement) {
    this.loss = Math.max(0, 1 - agreement);
    this.slope = agreement < 1 ? -1 : 0;
  },
});

export default {
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
} satisfies Loss;
