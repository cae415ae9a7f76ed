/** The relevant items of a query in order, and where all others are among them, without a sort of the others. */
import { type Buckets, type Counter, createCounter, type Engine, KEEP } from "./counter.ts";
import type { Tally } from "./tally.ts";

/** Buckets for each relevant item: so many that few of the others share a bucket with one. */
const BUCKETS_EACH = 2;
const FEWEST_BUCKETS = 64;
const MOST_BUCKETS = 1 << 16;
/** A bucket of more items is sorted by the engine; insertion is faster for fewer. */
const CROWD = 24;

/** A power of two. */
function bucketsFor(relevant: number): number {
  const wanted = Math.max(FEWEST_BUCKETS, BUCKETS_EACH * relevant);
  return Math.min(MOST_BUCKETS, 2 ** Math.ceil(Math.log2(wanted)));
}

/**
 * Distances go into buckets of equal width between the nearest and the furthest relevant item. Rounding is the same
 * for every item, so the buckets keep the order: of an item in a bucket without a relevant one only the bucket counts,
 * and only the few others are compared with the relevant items of theirs.
 */
export class Relevant implements Buckets {
  /** `[items]`: the distances of a query, to be filled. */
  readonly distances: Float32Array;
  private readonly sorted: Float32Array;
  /** Others in the bucket of the i-th relevant item: between it and the one before it, and at its very distance. */
  private readonly before: Int32Array;
  private readonly level: Int32Array;
  /** The first relevant item in bucket b or later. */
  private readonly starts: Int32Array;
  /** Counts the others in each bucket, and keeps those that share one with a relevant item. */
  private readonly counter: Counter;
  private total = 0;
  private high = 0;
  /** Of the relevant items of the last query; see {@link Buckets}. */
  buckets = 0;
  low = 0;
  /** Buckets in a distance of 1. */
  scale = 0;

  /** @param most relevant items of a query; @param items of the ranking; @param engine to choose one */
  constructor(most: number, items: number, engine?: Engine) {
    const buckets = bucketsFor(most);
    this.counter = createCounter(items, buckets, engine);
    this.distances = this.counter.distances;
    this.sorted = new Float32Array(most);
    this.before = new Int32Array(most + 1);
    this.level = new Int32Array(most + 1);
    this.starts = new Int32Array(buckets + 1);
  }

  /**
   * Adds the ranking of one query, whose `distances` are finite, to a tally.
   * @param from the relevant items are those from here …
   * @param to … to before here
   * @param skip an item that is left out, or -1
   */
  tally(from: number, to: number, skip: number, tally: Tally): void {
    this.sort(from, to, skip);
    const { counter } = this;
    const items = this.distances.length;
    let close = 0;
    for (const [first, end] of [
      [0, from],
      [to, items],
    ])
      if (skip < first || skip >= end) close = counter.count(first, end, this, close);
      else close = counter.count(skip + 1, end, this, counter.count(first, skip, this, close));
    this.compare(close);
    this.addTo(tally);
  }

  private sort(from: number, to: number, skip: number): void {
    const { distances, sorted, starts } = this;
    const { inside, close: own } = this.counter; // no other is kept yet
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let total = 0;
    for (let item = from; item < to; item++) {
      if (item === skip) continue;
      const distance = distances[item];
      own[total++] = distance;
      if (distance < low) low = distance;
      if (distance > high) high = distance;
    }
    const buckets = bucketsFor(total);
    const scale = high > low ? (buckets - 1) / (high - low) : 0;
    starts.fill(0, 0, buckets + 1);
    inside.fill(0, 0, buckets + 1);
    let most = 0;
    for (let i = 0; i < total; i++) {
      const bucket = ((own[i] - low) * scale) | 0;
      const relevant = starts[bucket] + 1;
      starts[bucket] = relevant;
      inside[bucket] = KEEP;
      if (relevant > most) most = relevant;
    }
    for (let bucket = 0, end = 0; bucket <= buckets; bucket++) {
      end += starts[bucket];
      starts[bucket] = end;
    }
    for (let i = 0; i < total; i++) {
      const distance = own[i];
      sorted[--starts[((distance - low) * scale) | 0]] = distance;
    }
    if (most > CROWD)
      for (let bucket = 0; bucket < buckets; bucket++)
        if (starts[bucket + 1] - starts[bucket] > CROWD)
          sorted.subarray(starts[bucket], starts[bucket + 1]).sort();
    // No item moves further than its bucket reaches.
    for (let i = 1; i < total; i++) {
      const distance = sorted[i];
      let at = i;
      for (; at > 0 && sorted[at - 1] > distance; at--) sorted[at] = sorted[at - 1];
      sorted[at] = distance;
    }
    this.before.fill(0, 0, total + 1);
    this.level.fill(0, 0, total + 1);
    Object.assign(this, { total, buckets, low, high, scale });
  }

  /** Finds the place of the others that were kept, in their buckets. */
  private compare(kept: number): void {
    const { sorted, starts, before, level, low, high, scale } = this;
    const { close } = this.counter;
    for (let i = 0; i < kept; i++) {
      const distance = close[i];
      if (distance > high) continue;
      const bucket = distance < low ? 0 : ((distance - low) * scale) | 0;
      const end = starts[bucket + 1];
      let from = starts[bucket];
      let to = end;
      while (from < to) {
        const middle = (from + to) >> 1;
        if (sorted[middle] < distance) from = middle + 1;
        else to = middle;
      }
      if (from === end) continue; // behind all of the bucket: the next bucket's count has it
      if (sorted[from] === distance) level[from]++;
      else before[from]++;
    }
  }

  private addTo(tally: Tally): void {
    const { sorted, before, level, buckets, total, low, scale } = this;
    const { inside } = this.counter; // becomes the others in all buckets before each
    for (let bucket = 0, sum = 0; bucket < buckets; bucket++) {
      const others = inside[bucket] & ~KEEP;
      inside[bucket] = sum;
      sum += others;
    }
    let last = -1;
    let place = 0;
    for (let i = 0; i < total; ) {
      const bucket = ((sorted[i] - low) * scale) | 0;
      if (bucket !== last) place = i + inside[bucket];
      last = bucket;
      let end = i + 1;
      while (end < total && sorted[end] === sorted[i]) end++;
      place += before[i];
      const ties = end - i + level[i];
      tally.add(place, ties, end - i);
      place += ties;
      i = end;
    }
  }
}
