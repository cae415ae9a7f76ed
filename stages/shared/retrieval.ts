/**
 * Retrieval metrics over a whole ranking. Items at exactly the same distance have no order: every metric is the
 * expectation over all orders of them (McSherry & Najork 2008), so that no number hangs on how a file was sorted.
 */
import { harmonicNumbers } from "./harmonic.ts";

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

/** So many places are added up one by one: the closed form is for larger ties, and rounds otherwise. */
const FEW_PLACES = 16;

/**
 * Σ (first + (k-1) slope) / (before + k) over k = 1 … places: with H the harmonic numbers and
 * D = H(before + places) - H(before), this is first · D + slope · (places - (before + 1) · D), off by 4e-15 times
 * (before + places) at most: sums are divided by the number of hits.
 */
export function sumOverPlaces(first: number, slope: number, before: number, places: number): number {
  if (places <= FEW_PLACES) {
    let sum = 0;
    for (let k = 1; k <= places; k++) sum += (first + (k - 1) * slope) / (before + k);
    return sum;
  }
  const harmonic = harmonicNumbers(before + places);
  const difference = harmonic[before + places] - harmonic[before];
  return first * difference + slope * (places - (before + 1) * difference);
}

/** Adds up the metrics of one query, group of equal distances by group. */
export class Tally {
  private readonly total: number;
  private readonly at: number[];
  private readonly furthest: number;
  private readonly precisionAt: number[];
  private readonly recallAt: number[];
  private rPrecision = 0;
  private sum = 0;
  private sumToR = 0;
  private seen = 0;

  /** @param total how many items are relevant */
  constructor(total: number, at: number[]) {
    this.total = total;
    this.at = at;
    this.furthest = Math.max(0, ...at);
    this.precisionAt = at.map(() => 0);
    this.recallAt = at.map(() => 0);
  }

  /**
   * The next group that has relevant items. For t items at one distance, r of them relevant, behind n items with
   * s relevant ones, the expected precision at the group's k-th place, counted where it is relevant, is
   * (r/t) (s + 1 + (k-1)(r-1)/(t-1)) / (n+k).
   * @param before n; @param ties t; @param hits r, at least 1
   */
  add(before: number, ties: number, hits: number): void {
    const { at, total, seen } = this;
    for (let index = 0; before < this.furthest && index < at.length; index++) {
      if (at[index] <= before) continue;
      const inside = Math.min(at[index] - before, ties);
      this.precisionAt[index] += (hits * inside) / ties;
      if (this.recallAt[index] < 1)
        this.recallAt[index] = seen > 0 ? 1 : 1 - chanceOfNone(ties, hits, inside);
    }
    const share = hits / ties;
    const slope = ties > 1 ? (hits - 1) / (ties - 1) : 0;
    const whole = share * sumOverPlaces(seen + 1, slope, before, ties);
    this.sum += whole;
    const inside = Math.min(ties, total - before);
    if (inside > 0) {
      this.sumToR += inside === ties ? whole : share * sumOverPlaces(seen + 1, slope, before, inside);
      this.rPrecision += share * inside;
    }
    this.seen += hits;
  }

  /** @param items of the whole ranking */
  metrics(items: number): QueryMetrics {
    const { total, at } = this;
    return {
      averagePrecision: total ? this.sum / total : 0,
      rPrecision: total ? this.rPrecision / total : 0,
      mapAtR: total ? this.sumToR / total : 0,
      precisionAt: this.precisionAt.map((count, index) => count / Math.min(at[index], items)),
      recallAt: this.recallAt,
    };
  }
}

/** Buckets that lead into the sorted distances of the relevant items: so many that most hold none of them. */
const BUCKETS = 1 << 15;
/** So many are sorted the faster by insertion. */
const FEW = 24;

/**
 * Ranks labelled items by distance, query after query, with buffers that are kept. No ranking is written down: the
 * relevant items are sorted, and of every other item it is found out how many of these it stands before.
 */
export class Ranking {
  private readonly labels: Uint16Array;
  private readonly members: Uint32Array[];
  private readonly relevant: Float32Array;
  /** Items that are not relevant: just before the i-th relevant one, and at its very distance. */
  private readonly before: Uint32Array;
  private readonly level: Uint32Array;
  private readonly starts = new Uint32Array(BUCKETS + 1);
  private readonly votes: Uint32Array;
  private nearItems = new Uint32Array(0);
  private nearDistances = new Float32Array(0);

  /** @param labels `[items]`, each below `classes` */
  constructor(labels: Uint16Array, classes: number) {
    this.labels = labels;
    const members = Array.from({ length: classes }, (): number[] => []);
    for (const [item, label] of labels.entries()) members[label].push(item);
    this.members = members.map((items) => Uint32Array.from(items));
    const most = Math.max(...members.map(({ length }) => length));
    this.relevant = new Float32Array(most);
    this.before = new Uint32Array(most);
    this.level = new Uint32Array(most);
    this.votes = new Uint32Array(classes);
  }

  /**
   * The metrics of one query.
   * @param distances `[items]`, finite
   * @param label of the query: items that have it are relevant
   * @param at the k of precision and recall
   * @param skip an item that is left out: the query itself
   */
  metrics(distances: Float32Array, label: number, at: number[], skip = -1): QueryMetrics {
    const { labels, before, level, starts } = this;
    const items = labels.length;
    const own = this.members[label];
    const total = own.length - (skip >= 0 && labels[skip] === label ? 1 : 0);
    const tally = new Tally(total, at);
    const rest = items - (skip < 0 ? 0 : 1);
    if (total === 0) return tally.metrics(rest);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < own.length; i++) {
      if (own[i] === skip) continue;
      const distance = distances[own[i]];
      if (distance < low) low = distance;
      if (distance > high) high = distance;
    }
    // Rounding is the same for every item, so the buckets keep the order.
    const scale = high > low ? (BUCKETS - 1) / (high - low) : 0;
    const relevant = this.sortRelevant(distances, own, skip, low, scale).subarray(0, total);
    before.fill(0, 0, total);
    level.fill(0, 0, total);
    for (let item = 0; item < items; item++) {
      const distance = distances[item];
      if (distance > high || labels[item] === label || item === skip) continue;
      if (distance < low) {
        before[0]++;
        continue;
      }
      const bucket = ((distance - low) * scale) | 0;
      let from = starts[bucket];
      let to = starts[bucket + 1];
      if (from === to) {
        before[from]++;
        continue;
      }
      while (from < to) {
        const middle = (from + to) >> 1;
        if (relevant[middle] < distance) from = middle + 1;
        else to = middle;
      }
      if (relevant[from] === distance) level[from]++;
      else before[from]++;
    }
    let place = 0;
    for (let i = 0; i < total; ) {
      let end = i + 1;
      while (end < total && relevant[end] === relevant[i]) end++;
      place += before[i];
      const ties = end - i + level[i];
      tally.add(place, ties, end - i);
      place += ties;
      i = end;
    }
    return tally.metrics(rest);
  }

  /** Sorts the relevant distances by buckets; `starts[b]` becomes the first one in bucket b or later. */
  private sortRelevant(
    distances: Float32Array,
    own: Uint32Array,
    skip: number,
    low: number,
    scale: number,
  ): Float32Array {
    const { starts, relevant } = this;
    starts.fill(0);
    for (let i = 0; i < own.length; i++)
      if (own[i] !== skip) starts[((distances[own[i]] - low) * scale) | 0]++;
    let end = 0;
    for (let bucket = 0; bucket <= BUCKETS; bucket++) {
      end += starts[bucket];
      starts[bucket] = end;
    }
    for (let i = 0; i < own.length; i++)
      if (own[i] !== skip) {
        const distance = distances[own[i]];
        relevant[--starts[((distance - low) * scale) | 0]] = distance;
      }
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const [first, end] = [starts[bucket], starts[bucket + 1]];
      if (end - first > FEW) relevant.subarray(first, end).sort();
      else
        for (let i = first + 1; i < end; i++) {
          const distance = relevant[i];
          let at = i;
          for (; at > first && relevant[at - 1] > distance; at--) relevant[at] = relevant[at - 1];
          relevant[at] = distance;
        }
    }
    return relevant;
  }

  /**
   * The k nearest items, nearest first; of equal distances the item of the smaller number.
   * @returns `[min(k, items)]`, valid until the next call
   */
  nearest(distances: Float32Array, k: number, skip = -1): Uint32Array {
    const items = this.labels.length;
    if (this.nearItems.length < k) {
      this.nearItems = new Uint32Array(k);
      this.nearDistances = new Float32Array(k);
    }
    const { nearItems, nearDistances } = this;
    let count = 0;
    let limit = Number.POSITIVE_INFINITY;
    for (let item = 0; item < items; item++) {
      const distance = distances[item];
      if (distance >= limit || item === skip) continue;
      let at = count < k ? count++ : k - 1;
      for (; at > 0 && nearDistances[at - 1] > distance; at--) {
        nearDistances[at] = nearDistances[at - 1];
        nearItems[at] = nearItems[at - 1];
      }
      nearDistances[at] = distance;
      nearItems[at] = item;
      if (count === k) limit = nearDistances[k - 1];
    }
    return nearItems.subarray(0, count);
  }

  /**
   * The class that most of some items have; of classes with equally many the one of the smallest number, as
   * scikit-learn takes it.
   */
  vote(items: Uint32Array): number {
    const { votes, labels } = this;
    votes.fill(0);
    for (const item of items) votes[labels[item]]++;
    let best = 0;
    for (let label = 1; label < votes.length; label++) if (votes[label] > votes[best]) best = label;
    return best;
  }
}
