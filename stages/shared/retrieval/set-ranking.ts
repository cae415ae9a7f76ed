/**
 * Rankings of items that have sets of labels: an item is relevant when it shares a label with the query. That is not
 * transitive, so the relevant items of each query are looked for among all.
 */
import { hasLabel, setBytes, sharedLabels } from "../artifacts/label-sets.ts";
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
  private readonly order: Ranking;

  /** @param sets `[items, setBytes(classes)]` */
  constructor(sets: Uint8Array, items: number, classes: number) {
    this.sets = sets;
    this.classes = classes;
    this.bytes = setBytes(classes);
    this.distances = new Float32Array(items);
    this.relevant = new Relevant(items, items);
    this.order = new Ranking(new Uint16Array(items), 1);
  }

  /** Takes the squared Euclidean distances of one query; see {@link Ranking.measure}. */
  measure(lengths: Float64Array, products: Float32Array, first: number): void {
    const { distances } = this;
    for (let item = 0; item < distances.length; item++)
      distances[item] = lengths[item] - 2 * products[first + item];
  }

  /**
   * The labels that more than half of the k nearest items have; of equal distances the item of the smaller number.
   * @param skip an item that is left out: the query itself
   * @returns a set, `[setBytes(classes)]`
   */
  vote(k: number, skip = -1): Uint8Array {
    const { sets, bytes, classes } = this;
    const nearest = this.order.nearest(this.distances, k, skip);
    const voted = new Uint8Array(bytes);
    for (let label = 0; label < classes; label++) {
      let votes = 0;
      for (const item of nearest) if (hasLabel(sets, item, label, bytes)) votes++;
      if (2 * votes > nearest.length) voted[label >> 3] |= 1 << (label & 7);
    }
    return voted;
  }

  /**
   * The metrics of the query whose distances were taken last.
   * @param queries the sets of queries, and @param query the row of this one
   * @param at the k of precision and recall
   * @param skip an item that is left out: the query itself
   */
  metrics(queries: Uint8Array, query: number, at: number[], skip = -1): QueryMetrics {
    const { sets, bytes, distances, relevant } = this;
    const ordered = relevant.distances;
    const items = distances.length;
    let total = 0;
    let last = items; // the others fill the buffer from its end
    for (let item = 0; item < items; item++) {
      if (item === skip) continue;
      if (sharedLabels(queries, query, sets, item, bytes) > 0) ordered[total++] = distances[item];
      else ordered[--last] = distances[item];
    }
    const tally = new Tally(total, at);
    const others = items - last;
    // Without an item, one place between them is left: it is skipped.
    if (total > 0) relevant.tally(0, total, total + others < items ? total : -1, tally);
    return tally.metrics(total + others);
  }
}
