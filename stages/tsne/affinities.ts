/** The affinities of t-SNE: how likely two points pick each other as neighbours. */
import type { Neighbours } from "./neighbours.ts";

/** A symmetric sparse matrix, row by row: the entries of row i are from starts[i] to starts[i+1]. */
export interface Affinities {
  starts: Uint32Array;
  columns: Uint32Array;
  /** They sum to 1. */
  values: Float64Array;
}

/** Halvings of the search for a bandwidth, and how near to log(perplexity) the entropy must come. */
const STEPS = 100;
const TOLERANCE = 1e-5;

/**
 * p(j|i) over one point's neighbours: exp(-beta d²), normalised, with the beta (1 / 2 sigma²) at which
 * the entropy is log(perplexity) (van der Maaten & Hinton 2008, sec. 2).
 * @param distances `[k]` squared
 * @param out `[k]`
 */
export function conditional(distances: Float64Array, perplexity: number, out: Float64Array): void {
  const target = Math.log(perplexity);
  // Distances from the nearest one: it changes no p(j|i) and keeps the largest term at 1.
  let least = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const distance of distances) {
    least = Math.min(least, distance);
    sum += distance;
  }
  const mean = sum / distances.length - least;
  let beta = mean > 0 ? 1 / mean : 1;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (let step = 0; step < STEPS; step++) {
    let total = 0;
    let weighted = 0;
    for (let j = 0; j < distances.length; j++) {
      const distance = distances[j] - least;
      out[j] = Math.exp(-beta * distance);
      total += out[j];
      weighted += out[j] * distance;
    }
    const entropy = Math.log(total) + (beta * weighted) / total;
    for (let j = 0; j < distances.length; j++) out[j] /= total;
    if (Math.abs(entropy - target) < TOLERANCE) return;
    if (entropy > target) low = beta;
    else high = beta;
    beta = high === Number.POSITIVE_INFINITY ? beta * 2 : (low + high) / 2;
  }
}

/**
 * Joint affinities p(i,j) = (p(j|i) + p(i|j)) / 2n over the nearest neighbours alone
 * (van der Maaten 2014, eq. 6-7); the rest is taken as 0.
 */
export function affinities({ indices, distances, k }: Neighbours, perplexity: number): Affinities {
  const rows = indices.length / k;
  const directed = new Float64Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * k, (row + 1) * k];
    conditional(distances.subarray(from, to), perplexity, directed.subarray(from, to));
  }
  // Row i of the sum: its own entries, and those of the rows that name i; entries of one column are added.
  const entries: Map<number, number>[] = Array.from({ length: rows }, () => new Map());
  for (let row = 0; row < rows; row++)
    for (let i = row * k; i < (row + 1) * k; i++) {
      const other = indices[i];
      const half = directed[i] / (2 * rows);
      entries[row].set(other, (entries[row].get(other) ?? 0) + half);
      entries[other].set(row, (entries[other].get(row) ?? 0) + half);
    }
  const starts = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row++) starts[row + 1] = starts[row] + entries[row].size;
  const columns = new Uint32Array(starts[rows]);
  const values = new Float64Array(starts[rows]);
  for (let row = 0; row < rows; row++) {
    let at = starts[row];
    for (const [column, value] of [...entries[row]].sort(([a], [b]) => a - b)) {
      columns[at] = column;
      values[at++] = value;
    }
  }
  return { starts, columns, values };
}
