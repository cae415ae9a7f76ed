/**
 * For each anchor, the farthest positive and the nearest negative.
 *
 * One triplet for each image of the batch, with a loss or without.
 *
 * @equation
 * p = argmax |a-p|,  n = argmin |a-n|
 * @when A published baseline is needed. With frozen features and large classes the embeddings collapse to one point;
 * use `semihard-negative` or `mean-negative` there.
 * @source Hermans, Beyer & Leibe 2017, "In defense of the triplet loss for person re-identification", equation 5
 */
import { emptyTriplets, push } from "../scoring/tuples.ts";
import { distancesTo, smallest, tripletSelector } from "../selector.ts";

export default tripletSelector({
  select(batch) {
    const { size, squared, members, negatives } = batch;
    const triplets = emptyTriplets(size);
    const scratch = new Float32Array(size);
    for (let anchor = 0; anchor < size; anchor++) {
      const nearest = smallest(distancesTo(batch, anchor, negatives[anchor], scratch));
      let farthest = -1;
      for (const other of members[anchor])
        if (
          other !== anchor &&
          (farthest < 0 || squared[anchor * size + other] > squared[anchor * size + farthest])
        )
          farthest = other;
      if (farthest >= 0 && nearest >= 0) push(triplets, anchor, farthest, negatives[anchor][nearest]);
    }
    return triplets;
  },
});
