/** The loss of one pair or triplet as a function of its squared distances. */

/** The loss of one triplet and its slopes; `at` computes them. */
export interface Term {
  loss: number;
  /** dloss / d(squared distance of anchor and positive). */
  positive: number;
  /** dloss / d(squared distance of anchor and negative). */
  negative: number;
  /** @param ap, an squared distances of the anchor to the positive and to the negative */
  at(ap: number, an: number): void;
}

/** The loss of one pair and its slope; `at` computes them. */
export interface PairTerm {
  loss: number;
  /** dloss / d(squared distance). */
  slope: number;
  /** @param squared the squared distance @param same whether both images are of one class */
  at(squared: number, same: boolean): void;
}

/** max(0, |a-p|² - |a-n|² + margin): the scoring functions leave out a loss that is not above 0. */
export const hinge = (margin: number): Term => ({
  loss: 0,
  positive: 1,
  negative: -1,
  at(ap, an) {
    this.loss = ap - an + margin;
  },
});

/**
 * |a-b|²/2 for one class, max(0, margin - |a-b|)²/2 for two (Hadsell, Chopra & LeCun 2006, equation 4).
 * @param margin a distance, not squared
 */
export const contrastiveTerm = (margin: number): PairTerm => ({
  loss: 0,
  slope: 0,
  at(squared, same) {
    if (same) {
      this.loss = squared / 2;
      this.slope = 0.5;
      return;
    }
    const distance = Math.sqrt(squared);
    const missing = Math.max(0, margin - distance);
    this.loss = (missing * missing) / 2;
    // d|x| / d|x|² = 1 / (2|x|); where two embeddings coincide the direction is undefined, and 0 is taken.
    this.slope = distance > 0 ? -missing / (2 * distance) : 0;
  },
});
