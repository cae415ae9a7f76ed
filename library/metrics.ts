/**
 * Metrics of retrieval, exact about ties: items at one distance have no order, and every metric is its expectation over
 * all orders of them (McSherry & Najork 2008).
 *
 * @example
 * const ranking = new Ranking(labels, classes);
 * const { averagePrecision, recallAt } = ranking.metrics(distances, label, [1, 10]);
 * @module
 */
export { type MeanInterval, meanInterval } from "../stages/shared/intervals.ts";
export { Ranking } from "../stages/shared/retrieval.ts";
export type { QueryMetrics } from "../stages/shared/tally.ts";
