/**
 * For each positive pair, a random semi-hard negative.
 *
 * Semi-hard negatives are farther than the positive, by less than the margin.
 *
 * @equation
 * n drawn from {n: |a-p|² < |a-n|² < |a-p|² + margin}
 * @when A triplet loss with a margin trains, and nearer negatives could be wrong labels or cause a collapse. A loss
 * without a margin (`hoffer-ailon`, `soft-margin`) learns more from `all`.
 * @source Schroff, Kalenichenko & Philbin 2015, "FaceNet: A unified embedding for face recognition and clustering",
 * section 3.2; siamese-triplet's SemihardNegativeTripletSelector
 */
import { drawNegatives } from "../scoring/draw.ts";
import { tripletSelector } from "../selector.ts";

export default tripletSelector({
  select: (batch, margin, random) => drawNegatives(batch, margin, random, true),
});
