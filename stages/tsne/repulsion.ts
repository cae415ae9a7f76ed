/** The repulsion of t-SNE: for each point i, the sum over the others j of (1 + d²)^-2 (y_i - y_j). */
import { gridRepulsion } from "./grid.ts";
import { exactRepulsion, type Repulsion } from "./pairs.ts";

/** Up to so many points, every pair takes less time than the grid, and is exact. */
const FEW_POINTS = 2000;

/** The faster way for a number of points. */
export const repulsionOf = (points: number): Repulsion =>
  points <= FEW_POINTS ? exactRepulsion(points) : gridRepulsion(points);
