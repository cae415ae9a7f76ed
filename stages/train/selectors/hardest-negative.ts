/**
 * For each positive pair, the nearest negative, if the triplet has a loss.
 *
 * @equation
 * n = argmin |a-n|,  if |a-n|² < |a-p|² + margin
 * @when A published baseline is needed. Under `facenet` the embeddings may collapse to one point; `hoffer-ailon`
 * withstands it.
 * @source siamese-triplet's HardestNegativeTripletSelector (https://github.com/adambielski/siamese-triplet)
 */
import { forEachPositivePair, smallest, tripletSelector } from "../selector.ts";

export default tripletSelector({
  select: (batch, margin) =>
    forEachPositivePair(batch, (near) => {
      const nearest = smallest(near);
      return (positive) => (nearest >= 0 && near[nearest] < positive + margin ? nearest : -1);
    }),
});
