/** How well clusters of vectors agree with classes: NMI and AMI of seeded k-means, as scikit-learn defines them. */
import type { Random } from "../compute/random.ts";

/** Rounds of k-means at most; it nearly always settles before. */
const ROUNDS = 100;

/** The squared distance of a row and a centre. */
function distanceTo(values: Float32Array, row: number, centres: Float64Array, centre: number, dim: number) {
  let sum = 0;
  for (let d = 0; d < dim; d++) sum += (values[row * dim + d] - centres[centre * dim + d]) ** 2;
  return sum;
}

/** The first centres of k-means++ (Arthur & Vassilvitskii 2007): each row's chance is its squared distance to the nearest. */
function firstCentres(values: Float32Array, rows: number, dim: number, clusters: number, random: Random) {
  const centres = new Float64Array(clusters * dim);
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  let chosen = random.int(rows);
  for (let centre = 0; centre < clusters; centre++) {
    for (let d = 0; d < dim; d++) centres[centre * dim + d] = values[chosen * dim + d];
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      nearest[row] = Math.min(nearest[row], distanceTo(values, row, centres, centre, dim));
      sum += nearest[row];
    }
    let left = random.float() * sum;
    chosen = rows - 1;
    for (let row = 0; row < rows; row++) {
      left -= nearest[row];
      if (left < 0) {
        chosen = row;
        break;
      }
    }
  }
  return centres;
}

/**
 * k-means by Lloyd's rounds from the centres of k-means++.
 * @param values `[rows, dim]`
 * @returns `[rows]`: the cluster of each
 */
export function kMeans(values: Float32Array, dim: number, clusters: number, random: Random): Uint32Array {
  const rows = values.length / dim;
  const centres = firstCentres(values, rows, dim, clusters, random);
  const assigned = new Uint32Array(rows);
  for (let round = 0; round < ROUNDS; round++) {
    let moved = round === 0;
    for (let row = 0; row < rows; row++) {
      let best = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let centre = 0; centre < clusters; centre++) {
        const distance = distanceTo(values, row, centres, centre, dim);
        if (distance < least) [best, least] = [centre, distance];
      }
      if (assigned[row] !== best) moved = true;
      assigned[row] = best;
    }
    if (!moved) break;
    const sums = new Float64Array(clusters * dim);
    const counts = new Uint32Array(clusters);
    for (let row = 0; row < rows; row++) {
      counts[assigned[row]]++;
      for (let d = 0; d < dim; d++) sums[assigned[row] * dim + d] += values[row * dim + d];
    }
    // A cluster without a row keeps its centre.
    for (let centre = 0; centre < clusters; centre++)
      for (let d = 0; counts[centre] && d < dim; d++)
        centres[centre * dim + d] = sums[centre * dim + d] / counts[centre];
  }
  return assigned;
}

/** How many items are in each pair of a class and a cluster. */
function contingency(classes: ArrayLike<number>, clusters: ArrayLike<number>) {
  const [rows, columns, cells] = [new Map(), new Map(), new Map()] as Map<number | string, number>[];
  const add = <K extends number | string>(counts: Map<K, number>, key: K) =>
    counts.set(key, (counts.get(key) ?? 0) + 1);
  for (let i = 0; i < classes.length; i++) {
    add(rows, classes[i]);
    add(columns, clusters[i]);
    add(cells, `${classes[i]} ${clusters[i]}`);
  }
  return { rows, columns, cells };
}

/** Entropy in nats. */
const entropyOf = (counts: Iterable<number>, items: number): number => {
  let sum = 0;
  for (const count of counts) sum -= (count / items) * Math.log(count / items);
  return sum;
};

/** log n! for n = 0 … items. */
function logFactorials(items: number): Float64Array {
  const table = new Float64Array(items + 1);
  for (let n = 2; n <= items; n++) table[n] = table[n - 1] + Math.log(n);
  return table;
}

/** The mutual information to expect of random clusters of these sizes (Vinh, Epps & Bailey 2010, equation 24a). */
function expectedInformation(rows: number[], columns: number[], items: number): number {
  const factorial = logFactorials(items);
  // Sizes repeat: each pair of sizes is summed once.
  const times = (sizes: number[]) => {
    const counts = new Map<number, number>();
    for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
    return [...counts];
  };
  let sum = 0;
  for (const [a, ofA] of times(rows))
    for (const [b, ofB] of times(columns))
      for (let both = Math.max(1, a + b - items); both <= Math.min(a, b); both++) {
        const chance = Math.exp(
          factorial[a] +
            factorial[b] +
            factorial[items - a] +
            factorial[items - b] -
            factorial[items] -
            factorial[both] -
            factorial[a - both] -
            factorial[b - both] -
            factorial[items - a - b + both],
        );
        sum += ofA * ofB * (both / items) * Math.log((items * both) / (a * b)) * chance;
      }
  return sum;
}

/** Agreement of clusters with classes. Both are 1 when they are the same, and AMI is about 0 for random clusters. */
export interface Agreement {
  /** Mutual information over the mean of both entropies. In [0, 1]. */
  nmi: number;
  /** The same, both less the mutual information to expect by chance. At most 1. */
  ami: number;
}

/** @param classes and clusters of the same items */
export function agreement(classes: ArrayLike<number>, clusters: ArrayLike<number>): Agreement {
  const items = classes.length;
  const { rows, columns, cells } = contingency(classes, clusters);
  if (rows.size === columns.size && (rows.size === 1 || rows.size === items)) return { nmi: 1, ami: 1 };
  const own = entropyOf(rows.values(), items);
  const other = entropyOf(columns.values(), items);
  const information = Math.max(0, own + other - entropyOf(cells.values(), items));
  const mean = (own + other) / 2;
  const chance = expectedInformation([...rows.values()], [...columns.values()], items);
  // As scikit-learn: what rounding leaves of the denominator keeps its sign.
  const room = mean - chance;
  const denominator = room < 0 ? Math.min(room, -Number.EPSILON) : Math.max(room, Number.EPSILON);
  return { nmi: mean > 0 ? information / mean : 0, ami: (information - chance) / denominator };
}
