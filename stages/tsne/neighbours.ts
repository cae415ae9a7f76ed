/** The nearest neighbours of every point, exact, from blocks of one matrix product. */
import * as tf from "@tensorflow/tfjs-core";

/** Rows of the product that are held at once. */
const BLOCK = 500;
/** Up to so many dimensions the differences themselves are cheap, and exact. */
const FEW_DIMENSIONS = 4;

/** Points, row by row in one array. */
export interface Points {
  /** `[rows, dim]`, row-major */
  values: Float32Array;
  rows: number;
  dim: number;
}

/** Each point's nearest others. */
export interface Neighbours {
  /** `[rows, k]`, nearest first; of equally near ones the lower index first */
  indices: Uint32Array;
  /** `[rows, k]`, squared Euclidean distances */
  distances: Float64Array;
  k: number;
}

/** Squared norms `[rows]`. */
function squaredNorms({ values, rows, dim }: Points): Float64Array {
  const norms = new Float64Array(rows);
  for (let row = 0; row < rows; row++)
    for (let i = row * dim; i < (row + 1) * dim; i++) norms[row] += values[i] * values[i];
  return norms;
}

/** |a-b|² from the differences. */
function squaredDistance({ values, dim }: Points, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < dim; i++) sum += (values[a * dim + i] - values[b * dim + i]) ** 2;
  return sum;
}

/**
 * Calls `visit(row, distances)` for every row in order, with its squared Euclidean distances to all rows
 * (the array is used again). |a-b|² = |a|² + |b|² - 2ab, whose product is one of float32, so that a distance is
 * right to about 1e-6 of the norms; with few dimensions it is taken from the differences, exactly.
 * Needs `startBackend()` of stages/shared/compute/backend.ts.
 */
export function eachDistanceRow(points: Points, visit: (row: number, distances: Float64Array) => void): void {
  const { values, rows, dim } = points;
  const distances = new Float64Array(rows);
  if (dim <= FEW_DIMENSIONS) {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < rows; j++) distances[j] = squaredDistance(points, row, j);
      visit(row, distances);
    }
    return;
  }
  const norms = squaredNorms(points);
  const all = tf.tensor2d(values.subarray(0, rows * dim), [rows, dim]);
  const transposed = tf.transpose(all);
  all.dispose();
  for (let start = 0; start < rows; start += BLOCK) {
    const count = Math.min(BLOCK, rows - start);
    // The tensor is what leaves the tidy: of an array, tidy would look at every entry for tensors.
    const product = tf.tidy(() => {
      const block = tf.tensor2d(values.subarray(start * dim, (start + count) * dim), [count, dim]);
      return tf.matMul(block, transposed);
    });
    const products = product.dataSync() as Float32Array;
    product.dispose();
    for (let i = 0; i < count; i++) {
      const norm = norms[start + i];
      for (let j = 0; j < rows; j++) distances[j] = Math.max(0, norm + norms[j] - 2 * products[i * rows + j]);
      visit(start + i, distances);
    }
  }
  transposed.dispose();
}

/**
 * The k smallest of `distances`, without the entry `own`: a heap with the farthest kept one at its root.
 * Fills `heap` and `keys` `[k]` in no order.
 */
function smallest(distances: Float64Array, own: number, heap: Uint32Array, keys: Float64Array): void {
  const k = heap.length;
  const sink = (at: number, size: number) => {
    const key = keys[at];
    const item = heap[at];
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && keys[child + 1] > keys[child]) child++;
      if (keys[child] <= key) break;
      keys[at] = keys[child];
      heap[at] = heap[child];
      at = child;
    }
    keys[at] = key;
    heap[at] = item;
  };
  let filled = 0;
  for (let j = 0; j < distances.length; j++) {
    if (j === own) continue;
    if (filled < k) {
      keys[filled] = distances[j];
      heap[filled++] = j;
      if (filled === k) for (let at = (k >> 1) - 1; at >= 0; at--) sink(at, k);
    } else if (distances[j] < keys[0]) {
      keys[0] = distances[j];
      heap[0] = j;
      sink(0, k);
    }
  }
}

/**
 * Exact k nearest neighbours (Euclidean, a point is not its own neighbour). The candidates come from float32
 * products; the distances of those kept are then recomputed, in float64 from the differences.
 * @param k in [1, rows - 1]
 */
export function nearest(points: Points, k: number, visited?: (row: number) => void): Neighbours {
  const { rows } = points;
  const indices = new Uint32Array(rows * k);
  const distances = new Float64Array(rows * k);
  const heap = new Uint32Array(k);
  const keys = new Float64Array(k);
  eachDistanceRow(points, (row, all) => {
    smallest(all, row, heap, keys);
    const exact = Array.from(heap, (other) => ({ other, sum: squaredDistance(points, row, other) }));
    exact.sort((a, b) => a.sum - b.sum || a.other - b.other);
    for (let i = 0; i < k; i++) {
      indices[row * k + i] = exact[i].other;
      distances[row * k + i] = exact[i].sum;
    }
    visited?.(row);
  });
  return { indices, distances, k };
}
