/** Pair losses: one term a pair, summed over what a selector chose. */
import { UserError } from "../../../runner/stage.ts";
import type { LossSetup } from "../loss.ts";
import type { Batch, PairSet, Pairs, Scored } from "../scoring/batch.ts";
import type { PairSelector } from "../selector.ts";
import { mean } from "./triplets.ts";

/** The pairs of a batch: what the sampler gave, or else what the selector chooses. */
export function choosePairs(
  batch: Batch,
  given: PairSet | undefined,
  selector: LossSetup["selector"],
): PairSet {
  if (given) return given;
  if (!selector)
    throw new UserError(
      "train: this loss takes pairs, but nothing gives any. Name a selector of pairs, or the sampler random-pairs.",
    );
  return (selector.part as PairSelector).select(batch, selector.random, selector.params);
}

/**
 * |a-b|²/2 for two of one class, max(0, margin - |a-b|)²/2 for two of different ones, with the mean over all pairs
 * (Hadsell, Chopra & LeCun 2006, equation 4).
 * @param margin a distance, not squared
 */
export function scoreContrastive(batch: Batch, { positive, negative }: PairSet, margin: number): Scored {
  const { size, squared } = batch;
  const gradient = new Float32Array(size * size);
  let loss = 0;
  let active = 0;
  forEach(positive, size, (at) => {
    if (squared[at] > 0) active++;
    loss += squared[at] / 2;
    gradient[at] += 0.5;
  });
  forEach(negative, size, (at) => {
    const distance = Math.sqrt(squared[at]);
    const missing = margin - distance;
    if (missing <= 0) return;
    active++;
    loss += (missing * missing) / 2;
    // d|x| / d|x|² = 1 / (2|x|); where two embeddings coincide the direction is undefined, and 0 is taken.
    if (distance > 0) gradient[at] -= missing / (2 * distance);
  });
  return mean(gradient, loss, positive.count + negative.count, active);
}

function forEach({ first, second, count }: Pairs, size: number, visit: (at: number) => void): void {
  for (let pair = 0; pair < count; pair++) visit(first[pair] * size + second[pair]);
}
