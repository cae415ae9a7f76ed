/**
 * Locality-constrained deep supervised hashing: codes keep similarities.
 *
 * b is the code of an image, its signs without a gradient.
 *
 * @equation
 * theta_ij = u_i·u_j / 2,  s_ij = 1 for similar images, else -1,  b = sign(u)
 * mean over all pairs of  log(1 + exp(-s_ij theta_ij))
 *     + lambda · mean over all pairs of  (sigmoid(theta_ij) - sigmoid(b_i·b_j / 2))²
 * @when The quantisation should keep the similarities of pairs, and not draw each output to its bit.
 * @source Zhu & Gao 2017, "Locality-constrained deep supervised hashing for image retrieval"
 */
import { onesOfWord } from "../../shared/retrieval/hamming/popcount.ts";
import { everyPairLoss, pairLikelihood } from "../kinds/every-pair.ts";
import { scheduled } from "../schedules.ts";
import { logistic } from "../scoring/softplus.ts";

export default everyPairLoss({
  params: {
    lambda: scheduled({ default: 3, minimum: 0, description: "weight of the locality" }),
  },
  of: "inner products",
  term({ lambda }, bits, _, rows) {
    const likelihood = pairLikelihood(1 / 2);
    const size = rows.length / bits;
    const signs = packed(rows, bits);
    const words = signs.length / size;
    return {
      loss: 0,
      slope: 0,
      at(inner, same, similarity, place) {
        const [i, j] = [Math.floor(place / size) * words, (place % size) * words];
        let different = 0;
        for (let word = 0; word < words; word++) different += onesOfWord(signs[i + word] ^ signs[j + word]);
        const agreement = bits - 2 * different;
        const probability = logistic(inner / 2);
        const off = probability - logistic(agreement / 2);
        likelihood.at(inner, same, similarity, place);
        this.loss = likelihood.loss + lambda * off * off;
        this.slope = likelihood.slope + lambda * off * probability * (1 - probability);
      },
    };
  },
});

/** The signs of the outputs, 32 to a word: 1 above 0. @returns `[rows, words]` */
function packed(rows: Float32Array, bits: number): Int32Array {
  const words = Math.ceil(bits / 32);
  const signs = new Int32Array((rows.length / bits) * words);
  for (const [at, value] of rows.entries())
    if (value > 0) {
      const bit = at % bits;
      signs[Math.floor(at / bits) * words + (bit >> 5)] |= 1 << (bit & 31);
    }
  return signs;
}
