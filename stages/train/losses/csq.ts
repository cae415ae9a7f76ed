/**
 * Central similarity quantisation (Yuan, Wang, Zhang, Tay, Jie, Liu & Feng 2020): each class has a centre, a code far
 * from the others (see {@link hashCentres}). With h = (tanh(u) + 1) / 2 and the centre's bit c in {0, 1}, the loss is
 * the mean over images and bits of the binary cross-entropy of h against c (equation 4), plus lambda times that of
 * log cosh(|2h - 1| - 1) (equation 6). As tanh goes flat, the outputs grow slowly; their sign is what is kept.
 * Beyond the paper: Hadamard matrices of 12, 24, 48, … bits, too, and of two matrix rows one is negated.
 */
import { hashCentres } from "../centres.ts";
import { type Loss, noCounts } from "../loss.ts";
import { type OutputTerm, signOf, withOutputLoss } from "../quantisation.ts";
import { scheduled } from "../schedules.ts";
import { logistic, softplus } from "../softplus.ts";
import { type AgreementTerm, targetLoss } from "../targets.ts";

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

export default {
  normalise: false,
  codes: true,
  selects: "nothing",
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
      loss(embeddings, labels, params) {
        const loss = targetLoss(embeddings, labels, centres, counters, crossEntropy());
        const weight = (params.lambda as number) / dim;
        return withOutputLoss(loss, embeddings, counters, weight, logCosh());
      },
    };
  },
} satisfies Loss;
