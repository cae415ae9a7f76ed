/**
 * Signs of projections onto random directions, through the mean of the training vectors (Charikar 2002). The
 * directions are orthogonal while there are as many dimensions as bits: fewer bits say the same thing twice
 * (super-bit LSH, Ji et al. 2012).
 */
import { Matrix } from "ml-matrix";
import { meanOf } from "../../shared/compute/principal.ts";
import { defineBinariser } from "../binariser.ts";
import { centred, randomRotation } from "../rotation.ts";

export default defineBinariser({
  fit(sample, bits, random) {
    const { dim } = sample;
    const directions = new Matrix(dim, bits);
    for (let first = 0; first < bits; first += dim) {
      const rotation = randomRotation(dim, Math.min(dim, bits - first), random);
      directions.setSubMatrix(rotation, 0, first);
    }
    return centred(directions, meanOf(sample));
  },
});
