/**
 * Retrieval metrics over a whole ranking. Items at exactly the same distance have no order: every metric is the
 * expectation over all orders of them (McSherry & Najork 2008), so that no number hangs on how a file was sorted.
 */

/** Buckets of the first pass of the sort: of the order of the items, so that a bucket holds a few. */
const BUCKETS = 1 << 16;

/** Sorts by distance, again and again, with buffers that are kept. */
export class Ranker {
  /** Item indices, nearest first; equal distances in order of index. */
  readonly order: Uint32Array;
  /** Their distances, ascending. */
  readonly sorted: Float32Array;
  private readonly counts = new Uint32Array(BUCKETS + 1);
  private readonly bucketOf: Uint16Array;

  /** @param items the most items that a ranking can hold */
  constructor(items: number) {
    this.order = new Uint32Array(items);
    this.sorted = new Float32Array(items);
    this.bucketOf = new Uint16Array(items);
  }

  /**
   * Fills `order` and `sorted`: items are spread over buckets of equal width, then each bucket is sorted.
   * @param distances `[items]`, finite
   */
  rank(distances: Float32Array, items = distances.length): void {
    const { order, sorted } = this;
    const counts = this.counts;
    const bucketOf = this.bucketOf;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < items; i++) {
      const distance = distances[i];
      if (distance < low) low = distance;
      if (distance > high) high = distance;
    }
    // As many buckets as items, so that a small ranking does not clear a large table.
    const buckets = Math.min(BUCKETS, Math.max(16, items));
    const scale = high > low ? (buckets - 1) / (high - low) : 0;
    counts.fill(0, 0, buckets + 1);
    for (let i = 0; i < items; i++) {
      const bucket = (distances[i] - low) * scale; // the array takes the whole part
      bucketOf[i] = bucket;
      counts[bucketOf[i] + 1]++;
    }
    for (let bucket = 0; bucket < buckets; bucket++) counts[bucket + 1] += counts[bucket];
    for (let i = 0; i < items; i++) {
      const distance = distances[i];
      const place = counts[bucketOf[i]]++;
      sorted[place] = distance;
      order[place] = i;
    }
    // Every item is in its bucket, so that one pass of insertion finishes the sort; it keeps equal ones in order.
    for (let i = 1; i < items; i++) {
      const distance = sorted[i];
      if (sorted[i - 1] <= distance) continue;
      const item = order[i];
      let at = i;
      do {
        sorted[at] = sorted[at - 1];
        order[at] = order[at - 1];
        at--;
      } while (at > 0 && sorted[at - 1] > distance);
      sorted[at] = distance;
      order[at] = item;
    }
  }
}

/** Metrics of one query. All in [0, 1]. */
export interface QueryMetrics {
  /** Average precision over the whole ranking; 0 when nothing is relevant. */
  averagePrecision: number;
  /** Precision at R, the number of relevant items. */
  rPrecision: number;
  /** Average precision over the first R (Musgrave, Belongie & Lim 2020). */
  mapAtR: number;
  /** Share of the first k that is relevant, for each k. */
  precisionAt: number[];
  /** 1 when any of the first k is relevant (recall@k of metric learning, Jégou 2011), for each k. */
  recallAt: number[];
}

/** The chance that none of `drawn` items out of `total`, `relevant` of them relevant, is relevant. */
function chanceOfNone(total: number, relevant: number, drawn: number): number {
  let chance = 1;
  for (let i = 0; i < drawn; i++) chance *= Math.max(0, total - relevant - i) / (total - i);
  return chance;
}

/**
 * Metrics of one ranking. For a group of t items at one distance, r of them relevant, behind n items with s
 * relevant ones, the expected precision at the group's k-th place, counted where it is relevant, is
 * (r/t) (s + 1 + (k-1)(r-1)/(t-1)) / (n+k).
 * @param relevant zeros and ones `[items]`, in order of item
 * @param at the k of precision and recall
 */
export function queryMetrics(
  ranker: Pick<Ranker, "order" | "sorted">,
  items: number,
  relevant: (item: number) => boolean,
  at: number[],
): QueryMetrics {
  const { order, sorted } = ranker;
  let total = 0;
  for (let i = 0; i < items; i++) if (relevant(order[i])) total++;
  const precisionAt = at.map(() => 0);
  const recallAt = at.map(() => 0);
  let rPrecision = 0;
  let sum = 0;
  let sumToR = 0;
  let seen = 0;
  for (let start = 0; start < items; ) {
    let end = start + 1;
    while (end < items && sorted[end] === sorted[start]) end++;
    const ties = end - start;
    let hits = 0;
    for (let i = start; i < end; i++) if (relevant(order[i])) hits++;
    for (const [index, k] of at.entries()) {
      if (k <= start) continue;
      const inside = Math.min(k, end) - start;
      precisionAt[index] += (hits * inside) / ties;
      if (recallAt[index] < 1 && hits > 0)
        recallAt[index] = seen > 0 ? 1 : 1 - chanceOfNone(ties, hits, inside);
    }
    if (hits > 0) {
      const share = hits / ties;
      const slope = ties > 1 ? (hits - 1) / (ties - 1) : 0;
      for (let k = 1; k <= ties; k++) {
        const place = start + k;
        const term = (share * (seen + 1 + (k - 1) * slope)) / place;
        sum += term;
        if (place <= total) {
          sumToR += term;
          rPrecision += share;
        }
      }
    }
    seen += hits;
    start = end;
  }
  return {
    averagePrecision: total ? sum / total : 0,
    rPrecision: total ? rPrecision / total : 0,
    mapAtR: total ? sumToR / total : 0,
    precisionAt: precisionAt.map((count, index) => count / Math.min(at[index], items)),
    recallAt,
  };
}

/**
 * The class most of the k nearest have; of classes with equally many, the one whose member comes first.
 * @param votes scratch `[classes]`
 */
export function nearestClass(order: Uint32Array, labels: Uint16Array, k: number, votes: Uint32Array): number {
  votes.fill(0);
  let most = 0;
  for (let i = 0; i < k; i++) most = Math.max(most, ++votes[labels[order[i]]]);
  for (let i = 0; i < k; i++) if (votes[labels[order[i]]] === most) return labels[order[i]];
  throw new Error("k must be at least 1");
}
