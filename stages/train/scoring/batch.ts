/** One batch as losses and selectors see it. */

/** Embeddings' labels and squared Euclidean distances. See {@link batchOf}. */
export interface Batch {
  /** Rows: images, and what a memory holds (see memory.ts). */
  size: number;
  /** The first rows, which are images of the batch: all of them without a memory. The others are partners only. */
  anchors: number;
  /** Whether a memory is part of it: its partners are constants then, and its pairs ordered. */
  memory: boolean;
  /** Of the embeddings. */
  dim: number;
  /** `[size]`; of several labels the lowest */
  labels: Int32Array;
  /** Whether two rows share a label. */
  similar(i: number, j: number): boolean;
  /** The cosine of two rows' label vectors, in [0, 1]; with one label each 0 or 1. */
  similarity(i: number, j: number): number;
  /** `[anchors, size]`, row-major, zero on the diagonal, never negative. */
  squared: Float32Array;
  /** For each anchor, the rows that share a label with it, ascending, itself included; for another row itself alone. */
  members: Int32Array[];
  /** For each anchor, the rows that share no label with it, ascending; for another row none. */
  negatives: Int32Array[];
  /**
   * All pairs i < j that share a label, ascending by i, then j (the anchors and positives of siamese-triplet); with a
   * memory each anchor i with each j.
   */
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

/** Positive pairs, each with all its negatives nearer than its positive and the margin: see {@link scoreMeans}. */
export interface Means {
  /** Whether both images of a pair are anchors, or only the first. */
  bothEnds: boolean;
  /** Without the negatives that are as near as the positive, or nearer. */
  semihard: boolean;
}

/** The sampler's data on a batch besides one label an image. */
export interface Given {
  /** Numbers of the training images `[batch]`; where a loss is only measured, of the validation images. */
  images?: Int32Array;
  /** Pairs or triplets of rows that the sampler drew. */
  pairs?: PairSet;
  triplets?: Triplets;
  /** 1 where an image has a label, `[batch, classes]`; present where images may have several. */
  labelSets?: Uint8Array;
  /** The network's input for the batch, `[batch, …]`. */
  examples?: { values: Float32Array; shape: number[] };
  /** Of all steps, those done before this one, in [0, 1); absent where a loss is only measured. */
  share?: number;
}

/**
 * Creates a batch.
 * @param labels `[size]`
 * @param squared `[size, size]`: see {@link squaredDistances}
 * @param dim of the embeddings
 * @param labelSets see {@link Given.labelSets}; similar images are then those that share a label
 */
export function batchOf(
  labels: Int32Array,
  squared: Float32Array,
  dim: number,
  labelSets?: Uint8Array,
): Batch {
  if (labelSets) return batchOfSets(labels, squared, dim, labelSets);
  const size = labels.length;
  const rows = new Map<number, number[]>();
  for (let i = 0; i < size; i++) {
    if (!rows.has(labels[i])) rows.set(labels[i], []);
    rows.get(labels[i])!.push(i);
  }
  const membersOf = new Map<number, Int32Array>();
  const negativesOf = new Map<number, Int32Array>();
  for (const [label, own] of rows) {
    membersOf.set(label, Int32Array.from(own));
    const others = new Int32Array(size - own.length);
    for (let i = 0, count = 0; i < size; i++) if (labels[i] !== label) others[count++] = i;
    negativesOf.set(label, others);
  }
  const members = Array.from(labels, (label) => membersOf.get(label)!);
  const negatives = Array.from(labels, (label) => negativesOf.get(label)!);
  return {
    size,
    anchors: size,
    memory: false,
    dim,
    labels,
    similar: (i, j) => labels[i] === labels[j],
    similarity: (i, j) => Number(labels[i] === labels[j]),
    squared,
    members,
    negatives,
    positives: positivePairs(members),
  };
}

/** Sharing a label is not transitive: every pair of rows is looked at. */
function batchOfSets(labels: Int32Array, squared: Float32Array, dim: number, sets: Uint8Array): Batch {
  const size = labels.length;
  const classes = sets.length / size;
  const similarities = new Float64Array(size * size);
  const counts = Float64Array.from({ length: size }, (_, i) => {
    let count = 0;
    for (let c = i * classes; c < (i + 1) * classes; c++) count += sets[c];
    return count;
  });
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) {
      let shared = 0;
      for (let c = 0; c < classes; c++) shared += sets[i * classes + c] & sets[j * classes + c];
      // The root of a square is exact: equal sets have similarity 1.
      const value = shared === 0 ? 0 : shared / Math.sqrt(counts[i] * counts[j]);
      similarities[i * size + j] = similarities[j * size + i] = value;
    }
  const rows = (i: number, wanted: (similarity: number, j: number) => boolean) => {
    const found: number[] = [];
    for (let j = 0; j < size; j++) if (wanted(similarities[i * size + j], j)) found.push(j);
    return Int32Array.from(found);
  };
  const every = Array.from(labels.keys());
  const members = every.map((i) => rows(i, (similarity, j) => similarity > 0 || j === i));
  return {
    size,
    anchors: size,
    memory: false,
    dim,
    labels,
    similar: (i, j) => similarities[i * size + j] > 0,
    similarity: (i, j) => similarities[i * size + j],
    squared,
    members,
    negatives: every.map((i) => rows(i, (similarity, j) => similarity === 0 && j !== i)),
    positives: positivePairs(members),
  };
}

function positivePairs(members: Int32Array[]): Pairs {
  // Each row is in as many ordered pairs as it has other members; half of those are ascending.
  const count = members.reduce((sum, own) => sum + own.length - 1, 0) / 2;
  const pairs = { first: new Int32Array(count), second: new Int32Array(count), count: 0 };
  for (let i = 0; i < members.length; i++)
    for (const j of members[i])
      if (j > i) {
        pairs.first[pairs.count] = i;
        pairs.second[pairs.count++] = j;
      }
  return pairs;
}

/** Side of the squares in which a matrix and its transpose are traversed, so that both stay in the cache. */
const TILE = 32;

/** Calls `row(i, from, to)` so that each (i, j) with i < j and from <= j < to occurs once, tile by tile. */
export function forUpperTiles(size: number, row: (i: number, from: number, to: number) => void): void {
  for (let top = 0; top < size; top += TILE)
    for (let left = top; left < size; left += TILE) {
      const to = Math.min(size, left + TILE);
      for (let i = top; i < Math.min(size, top + TILE); i++) row(i, Math.max(left, i + 1), to);
    }
}

/** Below this share of |a|² + |b|² the subtraction of 2ab leaves too few correct digits. */
const CANCELS = 0.05;

/**
 * Squared distances out of inner products: |a-b|² = |a|² + |b|² - 2ab; those of near rows, where that cancels,
 * out of the differences.
 * @param gram `[size, size]` the inner products of the rows
 * @param rows `[size, dim]`
 */
export function squaredDistances(gram: Float32Array, rows: Float32Array, size: number): Float32Array {
  const squared = new Float32Array(size * size);
  const dim = rows.length / size;
  const lengths = Float64Array.from({ length: size }, (_, i) => gram[i * size + i]);
  forUpperTiles(size, (i, from, to) => {
    for (let j = from; j < to; j++) {
      const lengthsOfBoth = lengths[i] + lengths[j];
      let value = lengthsOfBoth - 2 * gram[i * size + j];
      if (value < CANCELS * lengthsOfBoth) value = squaredDistance(rows, i * dim, j * dim, dim);
      squared[i * size + j] = value;
      squared[j * size + i] = value;
    }
  });
  return squared;
}

/** One squared distance out of an inner product. @param a, b where the two rows begin */
export function nearSquared(
  inner: number,
  lengthsOfBoth: number,
  rows: Float32Array,
  a: number,
  b: number,
  dim: number,
): number {
  const value = lengthsOfBoth - 2 * inner;
  return value < CANCELS * lengthsOfBoth ? squaredDistance(rows, a, b, dim) : value;
}

function squaredDistance(rows: Float32Array, a: number, b: number, dim: number): number {
  let sum = 0;
  for (let k = 0; k < dim; k++) sum += (rows[a + k] - rows[b + k]) ** 2;
  return sum;
}

/** The loss of a batch and its gradient. */
export interface Scored {
  /** Mean over the selected pairs or triplets; 0 when none was selected. */
  loss: number;
  /** dloss / dsquared `[anchors, size]`; each entry counts by itself, (i, j) and (j, i) add up. */
  gradient: Float32Array;
  /** How many pairs or triplets were selected, and how many of them have a loss above 0. */
  count: number;
  active: number;
}
