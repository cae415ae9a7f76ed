/**
 * Triplet loss with a soft margin.
 *
 * A smooth curve replaces the hinge: every triplet has a loss, which decreases exponentially once the negative is
 * farther than the positive. The loss is the mean over the selected triplets.
 *
 * @equation
 * log(1 + exp(|a-p| - |a-n|))
 * @when No margin should be chosen, and embeddings need not be on the unit sphere. Take the selector `all`.
 * @source Hermans, Beyer & Leibe 2017, "In defense of the triplet loss for person re-identification", section 2
 */

import { tripletLoss } from "../kinds/triplets.ts";
import { scoreByExponentials } from "../scoring/exponentials.ts";
import { softplus, softplusSums } from "../scoring/softplus.ts";
import type { Term } from "../scoring/term.ts";

const term = (): Term => ({
  loss: 0,
  positive: 0,
  negative: 0,
  at(ap, an) {
    const near = Math.sqrt(ap);
    const far = Math.sqrt(an);
    const over = near - far;
    const share = 1 / (1 + Math.exp(-over));
    this.loss = softplus(over);
    this.positive = near > 0 ? share / (2 * near) : 0;
    this.negative = far > 0 ? -share / (2 * far) : 0;
  },
});

export default tripletLoss({
  normalise: false,
  terms: () => ({
    term: term(),
    scoreAll: (batch) => scoreByExponentials(batch, softplusSums(batch.size), term()),
  }),
});
