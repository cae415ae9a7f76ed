/**
 * Central similarity quantisation: a fixed code for each class.
 *
 * The codes (hash centres) differ from each other in about half of the bits: rows of a Hadamard matrix where one of
 * that size exists, else random codes. The network learns to output its class's code. As tanh saturates, the outputs
 * grow slowly; only their sign is used. Beyond the paper: Hadamard matrices of 12, 24, 48, … bits are used too, and
 * every second row is negated.
 *
 * @equation
 * h = (tanh(u) + 1) / 2,  c = the bit of the class's centre, 0 or 1
 * mean over images and bits of
 *     -(c log h + (1 - c) log(1 - h)) + lambda log cosh(|2h - 1| - 1)
 * @when Codes are short, or the classes are many: a step compares images with codes and not with each other, and needs
 * neither pairs in the batch nor a selector.
 * @source Yuan, Wang, Zhang, Tay, Jie, Liu & Feng 2020, "Central similarity quantization for efficient image and video
 * retrieval", equations 4 and 6, section 3.2
 */
import { hashCentres } from "../hashing/centres.ts";
import { type OutputTerm, signOf, withOutputLoss } from "../hashing/quantisation.ts";
import { type AgreementTerm, targetLoss } from "../hashing/targets.ts";
import { defineLoss, noCounts } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { logistic, softplus } from "../scoring/softplus.ts";

/** -log h where c = 1, and -log(1 - h) where c = 0: both are log(1 + exp(-2 agreement)). */
const crossEntropy = (): AgreementTerm => ({
  loss: 0,
  slope: 0,
  at(agreement) {
    this.loss = softplus(-2 * agreement);
    this.slope = -2 * logistic(-2 * agreement);
  },
});

const logCosh = (): OutputTerm => ({
  loss: 0,
  slope: 0,
  at(value) {
    const grown = Math.tanh(value);
    const off = Math.abs(grown) - 1;
    this.loss = Math.log(Math.cosh(off));
    this.slope = Math.tanh(off) * signOf(value) * (1 - grown * grown);
  },
});

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  several: true,
  params: {
    lambda: scheduled({
      default: 0.0001,
      minimum: 0,
      description: "weight of the quantisation: the mean over images and bits of log cosh(|tanh u| - 1)",
    }),
  },
  start({ dim, classes, random }) {
    const counters = noCounts();
    const centres = hashCentres(classes, dim, random);
    return {
      variables: [],
      counters,
      loss(embeddings, labels, { lambda }, given) {
        const loss = targetLoss(embeddings, labels, centres, counters, crossEntropy(), given?.labelSets);
        return withOutputLoss(loss, embeddings, counters, lambda / dim, logCosh());
      },
    };
  },
});
