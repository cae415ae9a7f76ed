/** Rankings of labelled items by distance: their metrics, and the classes that the nearest vote for. */
import type { Engine } from "./counter.ts";
import { type MoreMetrics, MoreTally } from "./more.ts";
import { Nearest } from "./nearest.ts";
import { Relevant } from "./relevant.ts";
import { type QueryMetrics, Tally } from "./tally.ts";

/**
 * Ranks labelled items by distance, query after query, with buffers that are kept. No ranking is written down: the
 * relevant items are sorted, and of every other item the number of these that it precedes is counted.
 */
export class Ranking {
  private readonly labels: Uint16Array;
  /** `[items]`: the place of each item when they are ordered by class. */
  private readonly places: Uint32Array;
  /** `[classes + 1]`: where each class begins in that order. */
  private readonly starts: Uint32Array;
  /** `[items]`: the distances of a query in that order. */
  private readonly byClass: Float32Array;
  private readonly relevant: Relevant;
  private readonly votes: Uint32Array;
  private readonly near = new Nearest();

  /** @param labels `[items]`, each below `classes`; @param engine to choose one: all give the same bits */
  constructor(labels: Uint16Array, classes: number, engine?: Engine) {
    const starts = new Uint32Array(classes + 1);
    for (const label of labels) starts[label + 1]++;
    const most = starts.reduce((most, items) => Math.max(most, items), 0);
    for (let label = 0; label < classes; label++) starts[label + 1] += starts[label];
    const next = starts.slice();
    this.labels = labels;
    this.places = Uint32Array.from(labels, (label) => next[label]++);
    this.starts = starts;
    this.relevant = new Relevant(most, labels.length, engine);
    this.byClass = this.relevant.distances;
    this.votes = new Uint32Array(classes);
  }

  /**
   * The metrics of one query.
   * @param distances `[items]`, finite
   * @param label of the query: items that have it are relevant
   * @param at the k of precision and recall
   * @param skip an item that is left out: the query itself; @param more other metrics
   */
  metrics(distances: Float32Array, label: number, at: number[], skip = -1, more?: MoreMetrics): QueryMetrics {
    const { places, byClass } = this;
    for (let item = 0; item < places.length; item++) byClass[places[item]] = distances[item];
    return this.metricsByClass(label, at, skip, more);
  }

  /** The metrics of the query whose distances {@link measure} or {@link take} took last; params as of {@link metrics}. */
  measuredMetrics(label: number, at: number[], skip = -1, more?: MoreMetrics): QueryMetrics {
    return this.metricsByClass(label, at, skip, more);
  }

  private metricsByClass(label: number, at: number[], skip: number, more?: MoreMetrics): QueryMetrics {
    const { places, starts } = this;
    const [from, to] = [starts[label], starts[label + 1]];
    const place = skip < 0 ? -1 : places[skip];
    const total = to - from - (place >= from && place < to ? 1 : 0);
    const tally = new Tally(total, at, more && new MoreTally(total, more));
    if (total > 0) this.relevant.tally(from, to, place, tally);
    return tally.metrics(places.length - (skip < 0 ? 0 : 1));
  }

  /** `[items]`: the items by class, those of a class in their order. */
  byClassOrder(): Uint32Array {
    const order = new Uint32Array(this.places.length);
    for (const [item, place] of this.places.entries()) order[place] = item;
    return order;
  }

  /** Takes the distances of one query, in the order of {@link byClassOrder}, for {@link measuredMetrics}. */
  take(distances: Float32Array): void {
    this.byClass.set(distances);
  }

  /**
   * Takes the squared Euclidean distances of one query, less the query's own squared length, which is the same for the
   * whole ranking.
   * @param lengths `[items]`: squared lengths
   * @param products dot products of queries and items; @param first where those of this query begin
   * @param skip an item that is left out of the nearest: the query itself
   * @returns the k nearest items, as of {@link nearest}
   */
  measure(lengths: Float64Array, products: Float32Array, first: number, k: number, skip = -1): Uint32Array {
    const { places, byClass, near } = this;
    const items = places.length;
    near.begin(k);
    let limit = Number.POSITIVE_INFINITY;
    for (let item = 0; item < items; item++) {
      const distance = Math.fround(lengths[item] - 2 * products[first + item]);
      byClass[places[item]] = distance;
      if (distance >= limit || item === skip) continue;
      limit = near.offer(item, distance);
    }
    return near.items();
  }

  /**
   * The k nearest items, nearest first; of equal distances the item of the smaller number.
   * @returns `[min(k, items)]`, valid until the next call
   */
  nearest(distances: Float32Array, k: number, skip = -1): Uint32Array {
    const { near } = this;
    const items = this.labels.length;
    near.begin(k);
    let limit = Number.POSITIVE_INFINITY;
    for (let item = 0; item < items; item++) {
      const distance = distances[item];
      if (distance >= limit || item === skip) continue;
      limit = near.offer(item, distance);
    }
    return near.items();
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
