/**
 * Retrieval metrics over a whole ranking. Items at exactly the same distance have no order: every metric is the
 * expectation over all orders of them (McSherry & Najork 2008), so that no number hangs on how a file was sorted.
 */

/** A pass of the sort takes so many bits of a key: its table of counts stays in the fastest cache. */
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** Sorts items by distance, again and again, with buffers that are kept. */
export class Ranker {
  /** Item indices, nearest first; equal distances in order of index. */
  readonly order: Uint32Array;
  /** Keys of the distances, ascending: equal keys are equal distances. */
  readonly sorted: Uint32Array;
  private readonly keys: Uint32Array;
  private readonly otherKeys: Uint32Array;
  private readonly otherOrder: Uint32Array;
  private readonly counts = [0, 1, 2].map(() => new Uint32Array(DIGITS));

  /** @param items the most items that a ranking can hold */
  constructor(items: number) {
    this.order = new Uint32Array(items);
    this.sorted = new Uint32Array(items);
    this.keys = new Uint32Array(items);
    this.otherKeys = new Uint32Array(items);
    this.otherOrder = new Uint32Array(items);
  }

  /**
   * Fills `order` and `sorted`. A radix sort of the floats' bits: its time does not hang on how the distances
   * lie, as they do in tight clusters.
   * @param distances `[items]`, finite, of either sign
   */
  rank(distances: Float32Array, items = distances.length): void {
    const { keys, counts } = this;
    const bits = new Uint32Array(distances.buffer, distances.byteOffset, items);
    const [low, middle, high] = counts;
    for (const table of counts) table.fill(0);
    for (let i = 0; i < items; i++) {
      // Bits of positive floats ascend as the floats do, those of negative ones descend. Both zeros are one.
      const bit = bits[i] === 0x80000000 ? 0 : bits[i];
      const key = (bit & 0x80000000 ? ~bit : bit | 0x80000000) >>> 0;
      keys[i] = key;
      low[key & (DIGITS - 1)]++;
      middle[(key >>> DIGIT_BITS) & (DIGITS - 1)]++;
      high[key >>> (2 * DIGIT_BITS)]++;
    }
    for (const table of counts) {
      let start = 0;
      for (let digit = 0; digit < DIGITS; digit++) {
        const count = table[digit];
        table[digit] = start;
        start += count;
      }
    }
    const { order, sorted, otherKeys, otherOrder } = this;
    for (let i = 0; i < items; i++) {
      const place = low[keys[i] & (DIGITS - 1)]++;
      sorted[place] = keys[i];
      order[place] = i;
    }
    for (let i = 0; i < items; i++) {
      const place = middle[(sorted[i] >>> DIGIT_BITS) & (DIGITS - 1)]++;
      otherKeys[place] = sorted[i];
      otherOrder[place] = order[i];
    }
    for (let i = 0; i < items; i++) {
      const place = high[otherKeys[i] >>> (2 * DIGIT_BITS)]++;
      sorted[place] = otherKeys[i];
      order[place] = otherOrder[i];
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
 * @param ranking items in order of distance, with what tells equal distances
 * @param labels `[items]` of the items; those with `label` are relevant
 * @param total how many items have `label`
 * @param at the k of precision and recall
 */
export function queryMetrics(
  ranking: { order: ArrayLike<number>; sorted: ArrayLike<number> },
  labels: Uint16Array,
  label: number,
  total: number,
  at: number[],
): QueryMetrics {
  const { order, sorted } = ranking;
  const items = labels.length;
  const precisionAt = at.map(() => 0);
  const recallAt = at.map(() => 0);
  let rPrecision = 0;
  let sum = 0;
  let sumToR = 0;
  let seen = 0;
  const furthest = Math.max(0, ...at);
  for (let start = 0; start < items && seen < total; ) {
    let end = start + 1;
    let hits = labels[order[start]] === label ? 1 : 0;
    for (; end < items && sorted[end] === sorted[start]; end++) if (labels[order[end]] === label) hits++;
    const ties = end - start;
    if (hits > 0) {
      for (let index = 0; start < furthest && index < at.length; index++) {
        const k = at[index];
        if (k <= start) continue;
        const inside = Math.min(k, end) - start;
        precisionAt[index] += (hits * inside) / ties;
        if (recallAt[index] < 1) recallAt[index] = seen > 0 ? 1 : 1 - chanceOfNone(ties, hits, inside);
      }
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
      seen += hits;
    }
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
 * The class most of the k nearest have; of classes with equally many, the one of the smallest number, as
 * scikit-learn takes it.
 * @param votes scratch `[classes]`
 */
export function nearestClass(order: Uint32Array, labels: Uint16Array, k: number, votes: Uint32Array): number {
  votes.fill(0);
  for (let i = 0; i < k; i++) votes[labels[order[i]]]++;
  let best = 0;
  for (let label = 1; label < votes.length; label++) if (votes[label] > votes[best]) best = label;
  return best;
}
