/**
 * For each positive pair, a random negative of those with a loss.
 *
 * @equation
 * n drawn from {n: |a-n|² < |a-p|² + margin}
 * @when A triplet loss with a margin trains, and a published selector is wanted. `mean-negative` has the same
 * expectation without the noise of the draw.
 * @source siamese-triplet's RandomNegativeTripletSelector (https://github.com/adambielski/siamese-triplet)
 */
import { drawNegatives } from "../scoring/draw.ts";
import { tripletSelector } from "../selector.ts";

export default tripletSelector({
  select: (batch, margin, random) => drawNegatives(batch, margin, random, false),
});
