/** t-SNE as a whole: affinities, start, descent. */
import { principalDirections } from "../shared/compute/principal.ts";
import { random } from "../shared/compute/random.ts";
import { affinities } from "./affinities.ts";
import { type Descent, type DescentResult, descend } from "./descent.ts";
import { nearest, type Points } from "./neighbours.ts";

/** Standard deviation of the start along its first axis, as scikit-learn's. */
const START = 1e-4;

export interface TsneOptions extends Descent {
  /** The number of neighbours that a point feels, in (1, rows / 3]. */
  perplexity: number;
  seed: number;
}

/** The coordinates `[rows, 2]` along the two directions of largest variance; 0 along one that the points lack. */
export function principalComponents(points: Points, seed: number): Float64Array {
  const { values, rows, dim } = points;
  const axes = Math.min(2, dim);
  const { mean, directions } = principalDirections(points, axes, random(seed, "principal components"));
  const result = new Float64Array(rows * 2);
  for (let axis = 0; axis < axes; axis++) {
    const direction = directions.getColumn(axis);
    for (let row = 0; row < rows; row++)
      for (let d = 0; d < dim; d++)
        result[2 * row + axis] += (values[row * dim + d] - mean[d]) * direction[d];
  }
  return result;
}

/**
 * t-SNE (van der Maaten & Hinton 2008) of points into the plane, from a start at their principal components
 * (Kobak & Berens 2019): attraction by exact neighbours alone (van der Maaten 2014), repulsion by {@link repulsionOf}.
 * @returns `map` `[rows, 2]`, KL and the iterations that were run
 */
export function tsne(points: Points, options: TsneOptions): DescentResult & { map: Float64Array } {
  const { rows } = points;
  const k = Math.min(rows - 1, Math.floor(3 * options.perplexity + 1));
  const joint = affinities(nearest(points, k), options.perplexity);
  const map = principalComponents(points, options.seed);
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += map[2 * row] ** 2; // their mean is 0
  const scale = sum > 0 ? START / Math.sqrt(sum / rows) : 0;
  for (let i = 0; i < map.length; i++) map[i] *= scale;
  return { map, ...descend(joint, map, options) };
}
