/** One batch as losses and selectors see it. */

/** Embeddings' labels and squared Euclidean distances. */
export interface Batch {
  /** Images. */
  size: number;
  /** `[size]` */
  labels: Int32Array;
  /** `[size, size]`, row-major, zero on the diagonal, never negative. */
  squared: Float32Array;
  /** `[pairs]` of the same class, i < j: see {@link positivePairs}. */
  positives: Pairs;
}

/** Index pairs `[count]`; the arrays may be longer than count. */
export interface Pairs {
  first: Int32Array;
  second: Int32Array;
  count: number;
}

/** Pairs of one class and pairs of two. */
export interface PairSet {
  positive: Pairs;
  negative: Pairs;
}

/** Index triplets `[count]`; the arrays may be longer than count. */
export interface Triplets {
  anchors: Int32Array;
  positives: Int32Array;
  negatives: Int32Array;
  count: number;
}

/** Pairs or triplets of rows that were put together before the network saw them. */
export interface Given {
  pairs?: PairSet;
  triplets?: Triplets;
}

/** All pairs i < j of one class (the anchors and positives of siamese-triplet). */
export function positivePairs(labels: Int32Array): Pairs {
  const size = labels.length;
  const first: number[] = [];
  const second: number[] = [];
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++)
      if (labels[i] === labels[j]) {
        first.push(i);
        second.push(j);
      }
  return { first: Int32Array.from(first), second: Int32Array.from(second), count: first.length };
}

/**
 * Squared distances out of inner products: |a-b|² = |a|² + |b|² - 2ab, cut off at 0, where rounding could
 * take it below.
 * @param gram `[size, size]`
 */
export function squaredDistances(gram: Float32Array, size: number): Float32Array {
  const squared = new Float32Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const value = Math.max(0, gram[i * size + i] + gram[j * size + j] - 2 * gram[i * size + j]);
      squared[i * size + j] = value;
      squared[j * size + i] = value;
    }
  return squared;
}

/** What a loss makes of a batch. */
export interface Scored {
  /** Mean over the selected pairs or triplets; 0 when none was selected. */
  loss: number;
  /** dloss / dsquared `[size, size]`; each entry counts by itself, (i, j) and (j, i) add up. */
  gradient: Float32Array;
  /** How many pairs or triplets were selected, and how many of them have a loss above 0. */
  count: number;
  active: number;
}
