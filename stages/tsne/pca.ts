/** Where the map starts: the first two principal components. */
import { random } from "../shared/compute/random.ts";
import type { Points } from "./neighbours.ts";

/** Iterations at most, and the change of the direction at which they end. */
const ITERATIONS = 200;
const TOLERANCE = 1e-9;

/** Makes a vector one of length 1; a zero vector stays. */
function normalise(vector: Float64Array): void {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i] /= length;
}

/**
 * The coordinates `[rows, 2]` along the two directions of largest variance, by power iteration with the
 * first taken out of the second. The sign is that which makes the largest entry of a direction positive,
 * so that a start does not depend on the seed of the iteration.
 */
export function principalComponents({ values, rows, dim }: Points, seed: number): Float64Array {
  const means = new Float64Array(dim);
  for (let row = 0; row < rows; row++) for (let i = 0; i < dim; i++) means[i] += values[row * dim + i] / rows;
  const draws = random(seed, "principal components");
  const scores = new Float64Array(rows);
  const result = new Float64Array(rows * 2);
  const found: Float64Array[] = [];
  for (let component = 0; component < 2; component++) {
    let direction = Float64Array.from({ length: dim }, () => draws.normal());
    normalise(direction);
    const project = () => {
      let shift = 0;
      for (let i = 0; i < dim; i++) shift += means[i] * direction[i];
      for (let row = 0; row < rows; row++) {
        let sum = -shift;
        for (let i = 0; i < dim; i++) sum += values[row * dim + i] * direction[i];
        scores[row] = sum;
      }
    };
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      project();
      const next = new Float64Array(dim);
      for (let row = 0; row < rows; row++)
        for (let i = 0; i < dim; i++) next[i] += scores[row] * (values[row * dim + i] - means[i]);
      for (const earlier of found) {
        let along = 0;
        for (let i = 0; i < dim; i++) along += next[i] * earlier[i];
        for (let i = 0; i < dim; i++) next[i] -= along * earlier[i];
      }
      normalise(next);
      let change = 0;
      for (let i = 0; i < dim; i++) change += (next[i] - direction[i]) ** 2;
      direction = next;
      if (change < TOLERANCE * TOLERANCE) break;
    }
    let largest = 0;
    for (let i = 1; i < dim; i++) if (Math.abs(direction[i]) > Math.abs(direction[largest])) largest = i;
    if (direction[largest] < 0) for (let i = 0; i < dim; i++) direction[i] = -direction[i];
    found.push(direction);
    project();
    for (let row = 0; row < rows; row++) result[2 * row + component] = scores[row];
  }
  return result;
}
