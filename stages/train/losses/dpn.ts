/**
 * Deep polarised network: each output on the side of its code, by a margin.
 *
 * The codes of the classes are fixed and far apart, as those of csq.
 *
 * @equation
 * c = the bit of the class's code, -1 or 1
 * mean over images and bits of  max(0, margin - u c)
 * @when Outputs should be driven from 0 and then left alone: there is no quantisation weight to choose.
 * @source Fan, Ng, Ju, Zhang & Chan 2020, "Deep polarized network for supervised learning of accurate binary hashing
 * codes"
 */
import { hashCentres } from "../hashing/centres.ts";
import { type AgreementTerm, targetLoss } from "../hashing/targets.ts";
import { defineLoss, noCounts } from "../loss.ts";
import { scheduled } from "../schedules.ts";

/** max(0, margin - agreement). */
export const polarised = (margin: number): AgreementTerm => ({
  loss: 0,
  slope: 0,
  at(agreement) {
    const missing = Math.max(0, margin - agreement);
    this.loss = missing;
    this.slope = missing > 0 ? -1 : 0;
  },
});

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    margin: scheduled({ default: 1, exclusiveMinimum: 0, description: "m, an output" }),
  },
  start({ dim, classes, random }) {
    const counters = noCounts();
    const centres = hashCentres(classes, dim, random);
    return {
      variables: [],
      counters,
      loss: (embeddings, labels, { margin }, given) =>
        targetLoss(embeddings, labels, centres, counters, polarised(margin), given?.labelSets),
    };
  },
});
