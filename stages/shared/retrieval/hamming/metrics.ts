/** Metrics of one query from counts by distance: nothing is sorted, and ties are the counts themselves. */
import { sumOverPlaces } from "../harmonic.ts";
import { type Gains, type MoreMetrics, MoreTally } from "../more.ts";
import { type QueryMetrics, Tally } from "../tally.ts";

/** Metrics of one query over codes. All in [0, 1]. */
export interface CodeMetrics extends QueryMetrics {
  /** Average precision when, of items at one distance, the relevant ones come last, or first. */
  map_worst: number;
  map_best: number;
  /** Share of the items within {@link NEAR_RADIUS} that is relevant; 0 when none is within it. */
  precision_radius_2: number;
}

/** The Hamming radius of the usual look-up in a hash table. */
export const NEAR_RADIUS = 2;

/**
 * The metrics of one query; the expectation over all orders of ties, as of every ranking here.
 * @param all `[distances]`: items at distance 0, 1, …; @param relevant `[distances]`: those of them that are relevant
 * @param at the k of precision and recall
 * @param more other metrics; @param gains for those of graded relevance
 */
export function metricsOfCounts(
  all: Uint32Array,
  relevant: Uint32Array,
  at: number[],
  more?: MoreMetrics,
  gains?: Gains,
): CodeMetrics {
  let total = 0;
  for (let distance = 0; distance < relevant.length; distance++) total += relevant[distance];
  const tally = new Tally(total, at, more && new MoreTally(total, more, gains));
  let place = 0;
  let seen = 0;
  let worst = 0;
  let best = 0;
  let nearPrecision = 0;
  for (let distance = 0; distance < all.length; distance++) {
    const ties = all[distance];
    const hits = relevant[distance];
    if (hits > 0) {
      tally.add(place, ties, hits);
      // One hit after the other: the j-th of them has precision (seen + j) / (places before + j).
      best += sumOverPlaces(seen + 1, 1, place, hits);
      worst += sumOverPlaces(seen + 1, 1, place + ties - hits, hits);
    }
    place += ties;
    seen += hits;
    if (distance <= NEAR_RADIUS) nearPrecision = place > 0 ? seen / place : 0;
  }
  const metrics = tally.metrics(place) as CodeMetrics;
  metrics.map_worst = total > 0 ? worst / total : 0;
  metrics.map_best = total > 0 ? best / total : 0;
  metrics.precision_radius_2 = nearPrecision;
  return metrics;
}
