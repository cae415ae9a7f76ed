/**
 * Rankings of items that have sets of labels: an item is relevant when it shares a label with the query. That is not
 * transitive, so the relevant items of each query are looked for among all.
 */
import { countLabels, setBytes, sharedLabels } from "../artifacts/label-sets.ts";
import { type Elected, elected } from "./elected.ts";
import { type Gains, type MoreMetrics, MoreTally } from "./more.ts";
import { Ranking } from "./ranking.ts";
import { Relevant } from "./relevant.ts";
import { type QueryMetrics, Tally } from "./tally.ts";

/** Ranks items by distance, query after query, with buffers that are kept. */
export class SetRanking {
  private readonly sets: Uint8Array;
  private readonly classes: number;
  private readonly bytes: number;
  /** `[items]`: the distances of a query. */
  private readonly distances: Float32Array;
  private readonly relevant: Relevant;
  /** Labels that each relevant item shares with the query. */
  private readonly common: Uint16Array;
  private readonly order: Ranking;

  /** @param sets `[items, setBytes(classes)]` */
  constructor(sets: Uint8Array, items: number, classes: number) {
    this.sets = sets;
    this.classes = classes;
    this.bytes = setBytes(classes);
    this.distances = new Float32Array(items);
    this.relevant = new Relevant(items, items);
    this.common = new Uint16Array(items);
    this.order = new Ranking(new Uint16Array(items), 1);
  }

  /** Takes the squared Euclidean distances of one query; see {@link Ranking.measure}. */
  measure(lengths: Float64Array, products: Float32Array, first: number): void {
    const { distances } = this;
    for (let item = 0; item < distances.length; item++)
      distances[item] = lengths[item] - 2 * products[first + item];
  }

  /** Takes the distances of one query. */
  take(distances: Float32Array): void {
    this.distances.set(distances);
  }

  /**
   * The labels that the k nearest items vote for; of equal distances the item of the smaller number is nearer.
   * @param skip an item that is left out: the query itself
   */
  vote(k: number, skip = -1): Elected {
    const { sets, classes } = this;
    const nearest = this.order.nearest(this.distances, k, skip);
    return elected(countLabels(sets, nearest, classes), nearest.length);
  }

  /**
   * The metrics of the query whose distances were taken last.
   * @param queries the sets of queries, and @param query the row of this one
   * @param at the k of precision and recall
   * @param skip an item that is left out: the query itself; @param more other metrics
   */
  metrics(queries: Uint8Array, query: number, at: number[], skip = -1, more?: MoreMetrics): QueryMetrics {
    const { sets, bytes, distances, relevant, common } = this;
    const ordered = relevant.distances;
    const items = distances.length;
    let total = 0;
    let last = items; // the others fill the buffer from its end
    for (let item = 0; item < items; item++) {
      if (item === skip) continue;
      const shared = sharedLabels(queries, query, sets, item, bytes);
      if (shared > 0) {
        common[total] = shared;
        ordered[total++] = distances[item];
      } else ordered[--last] = distances[item];
    }
    const gains = more?.gradedAt.length ? gainsOf(ordered, common, total) : undefined;
    const tally = new Tally(total, at, more && new MoreTally(total, more, gains));
    const others = items - last;
    // Without an item, one place between them is left: it is skipped.
    if (total > 0) relevant.tally(0, total, total + others < items ? total : -1, tally);
    return tally.metrics(total + others);
  }
}

/** A label set shares fewer labels than this: Uint16 holds every class. */
const GRADES = 2 ** 16;

/** Sums by distance, and counts by the number of labels shared, of so many relevant items. */
function gainsOf(distances: Float32Array, common: Uint16Array, total: number): Gains {
  // A key orders by distance, then by the labels shared: the bits of a float, its sign turned, rise with it.
  const bits = new Uint32Array(Float32Array.from(distances.subarray(0, total), (value) => value + 0).buffer);
  const keys = new Float64Array(total);
  let most = 0;
  for (let i = 0; i < total; i++) {
    const rising = bits[i] >>> 31 ? ~bits[i] >>> 0 : (bits[i] | (1 << 31)) >>> 0;
    keys[i] = rising * GRADES + common[i];
    if (common[i] > most) most = common[i];
  }
  keys.sort();
  const [shared, grown, grades] = [[] as number[], [] as number[], new Uint32Array(most + 1)];
  let last = -1;
  for (const key of keys) {
    const distance = Math.floor(key / GRADES);
    const gain = key - distance * GRADES;
    if (distance !== last) {
      shared.push(0);
      grown.push(0);
    }
    shared[shared.length - 1] += gain;
    grown[grown.length - 1] += 2 ** gain - 1;
    grades[gain]++;
    last = distance;
  }
  return { shared, grown, grades };
}
