/** The relevant items of a query in order, and where all others are among them, without a sort of the others. */
import type { Tally } from "./tally.ts";

/** Buckets for each relevant item: so many that few of the others share a bucket with one. */
const BUCKETS_EACH = 2;
const FEWEST_BUCKETS = 64;
const MOST_BUCKETS = 1 << 16;
/** A bucket of more items is sorted by the engine; insertion is faster for fewer. */
const CROWD = 24;
/** In buckets: behind the last one, and still an int32. */
const FAR = 1 << 30;

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
export class Relevant {
  /** The relevant distances as they come, and sorted. */
  private readonly own: Float32Array;
  private readonly sorted: Float32Array;
  /** Others in the bucket of the i-th relevant item: between it and the one before it, and at its very distance. */
  private readonly before: Uint32Array;
  private readonly level: Uint32Array;
  /** The first relevant item in bucket b or later. */
  private readonly starts: Uint32Array;
  private readonly occupied: Uint8Array;
  /** The others in each bucket, then those in all buckets before it. */
  private readonly others: Uint32Array;
  /** Distances of others that share a bucket with a relevant item. */
  private readonly close: Float32Array;
  private total = 0;
  private buckets = 0;
  private low = 0;
  private high = 0;
  /** Buckets in a distance of 1. */
  private scale = 0;

  /** @param most relevant items of a query; @param items of the ranking */
  constructor(most: number, items: number) {
    const buckets = bucketsFor(most) + 1;
    this.own = new Float32Array(most);
    this.sorted = new Float32Array(most);
    this.before = new Uint32Array(most + 1);
    this.level = new Uint32Array(most + 1);
    this.starts = new Uint32Array(buckets);
    this.occupied = new Uint8Array(buckets);
    this.others = new Uint32Array(buckets);
    this.close = new Float32Array(items + 1);
  }

  /**
   * Adds the ranking of one query to a tally.
   * @param distances `[items]`, finite
   * @param from the relevant items are those from here …
   * @param to … to before here
   * @param skip an item that is left out, or -1
   */
  tally(distances: Float32Array, from: number, to: number, skip: number, tally: Tally): void {
    this.sort(distances, from, to, skip);
    const items = distances.length;
    let close = 0;
    for (const [first, end] of [
      [0, from],
      [to, items],
    ])
      if (skip < first || skip >= end) close = this.count(distances, first, end, close);
      else close = this.count(distances, skip + 1, end, this.count(distances, first, skip, close));
    this.compare(close);
    this.addTo(tally);
  }

  private sort(distances: Float32Array, from: number, to: number, skip: number): void {
    const { own, sorted, starts, occupied } = this;
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
    occupied.fill(0, 0, buckets + 1);
    let most = 0;
    for (let i = 0; i < total; i++) {
      const bucket = ((own[i] - low) * scale) | 0;
      const inside = starts[bucket] + 1;
      starts[bucket] = inside;
      occupied[bucket] = 1;
      if (inside > most) most = inside;
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
    this.others.fill(0, 0, buckets + 1);
    Object.assign(this, { total, buckets, low, high, scale });
  }

  /**
   * Counts others by bucket, and keeps those that share one. Almost free of branches: which way an item goes is chance.
   * @param kept how many are kept already
   * @returns how many are kept then
   */
  private count(distances: Float32Array, from: number, to: number, kept: number): number {
    const { others, occupied, close, low, scale, buckets } = this;
    let next = kept;
    for (let item = from; item < to; item++) {
      const distance = distances[item];
      const place = (distance - low) * scale;
      if (place >= FAR) continue;
      close[next] = distance;
      if (place >= 0) {
        const past = (place | 0) - buckets;
        const bucket = buckets + (past & (past >> 31)); // the smaller one of place and buckets
        others[bucket]++;
        next += occupied[bucket];
      } else {
        others[0]++;
        next++;
      }
    }
    return next;
  }

  /** Finds the place of the others that were kept, in their buckets. */
  private compare(kept: number): void {
    const { sorted, starts, before, level, close, low, high, scale } = this;
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
    const { sorted, before, level, others, buckets, total, low, scale } = this;
    for (let bucket = 0, sum = 0; bucket < buckets; bucket++) {
      const inside = others[bucket];
      others[bucket] = sum;
      sum += inside;
    }
    let last = -1;
    let place = 0;
    for (let i = 0; i < total; ) {
      const bucket = ((sorted[i] - low) * scale) | 0;
      if (bucket !== last) place = i + others[bucket];
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
