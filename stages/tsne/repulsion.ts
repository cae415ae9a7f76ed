/** The repulsion of t-SNE: for each point i, the sum over the others j of (1 + d²)^-2 (y_i - y_j). */
import { gridRepulsion } from "./grid.ts";
import { exactRepulsion } from "./pairs.ts";

/**
 * Computes the repulsion of a map.
 * @param map `[points, 2]`
 * @param forces `[points, 2]`, overwritten
 * @returns Z, the sum over all ordered pairs of 1 / (1 + d²)
 */
export type Repulsion = (map: Float64Array, forces: Float64Array) => number;

/** Up to so many points, every pair takes less time than the grid, and is exact. */
const FEW_POINTS = 2000;

/** The faster way for a number of points. */
export const repulsionOf = (points: number): Repulsion =>
  points <= FEW_POINTS ? exactRepulsion : gridRepulsion(points);
