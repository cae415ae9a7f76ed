/**
 * Metrics of retrieval, exact about ties: items at one distance have no order, and every metric is its expectation over
 * all orders of them (McSherry & Najork 2008).
 *
 * @example
 * const ranking = new Ranking(labels, classes);
 * const { map, recallAt } = ranking.metrics(distances, label, [1, 10]);
 * @module
 */

export { Ranking } from "../stages/shared/retrieval/ranking.ts";
export type { QueryMetrics } from "../stages/shared/retrieval/tally.ts";
export { type MeanInterval, meanInterval } from "../stages/shared/statistics/intervals.ts";
