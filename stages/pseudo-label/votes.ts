/** One network's votes: for each image the class whose mean embedding is nearest. */
import type { Vectors } from "../shared/artifacts/vectors.ts";

/** `[classes, dim]`, the mean embedding of each class's training images; and whether it has any. */
function classMeans({ values, labels, dim, classes }: Vectors, train: Uint32Array) {
  const means = new Float64Array(classes.length * dim);
  const counts = new Uint32Array(classes.length);
  for (const row of train) {
    counts[labels[row]]++;
    for (let d = 0; d < dim; d++) means[labels[row] * dim + d] += values[row * dim + d];
  }
  for (let i = 0; i < means.length; i++) means[i] /= counts[Math.floor(i / dim)] || 1;
  return { means, counts };
}

/**
 * Adds a vote for the class of the nearest mean, in Euclidean distance; of two as near, the first.
 * @param votes `[rows.length, classes]`
 */
export function countVotes(
  teacher: Vectors,
  train: Uint32Array,
  rows: Uint32Array,
  votes: Uint16Array,
): void {
  const { values, dim, classes } = teacher;
  const { means, counts } = classMeans(teacher, train);
  for (const [at, row] of rows.entries()) {
    let [best, nearest] = [-1, Number.POSITIVE_INFINITY];
    for (let label = 0; label < classes.length; label++) {
      if (counts[label] === 0) continue;
      let distance = 0;
      for (let d = 0; d < dim; d++) distance += (values[row * dim + d] - means[label * dim + d]) ** 2;
      if (distance < nearest) [best, nearest] = [label, distance];
    }
    votes[at * classes.length + best]++;
  }
}
