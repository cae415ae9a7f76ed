/** How far a map can be trusted: whether points near in it were near before. */
import { eachDistanceRow, nearest, type Points } from "./neighbours.ts";

/** Neighbours that are looked at, as scikit-learn's default. */
export const TRUSTED_NEIGHBOURS = 5;

/**
 * Trustworthiness T(k) = 1 - 2 / (nk(2n - 3k - 1)) * sum over i and over the k nearest j of i in the map of
 * max(0, r(i,j) - k), where r is the rank of j among all by distance from i in the input (Venna & Kaski 2001).
 * In [0, 1]; 1: every neighbour in the map was one before. Needs
 * `startBackend()` of stages/shared/compute/backend.ts.
 * @param k below rows / 2
 */
export function trustworthiness(input: Points, map: Float32Array, k = TRUSTED_NEIGHBOURS): number {
  const { rows } = input;
  const near = nearest({ values: map, rows, dim: 2 }, k).indices;
  let penalty = 0;
  eachDistanceRow(input, (row, distances) => {
    for (let i = row * k; i < (row + 1) * k; i++) {
      const distance = distances[near[i]];
      let rank = 1;
      for (let j = 0; j < rows; j++) if (j !== row && distances[j] < distance) rank++;
      penalty += Math.max(0, rank - k);
    }
  });
  return 1 - (2 * penalty) / (rows * k * (2 * rows - 3 * k - 1));
}
