/** The mean of repeated curves, with its interval. */
import { meanInterval } from "./intervals.ts";
import { meanSeries } from "./means.ts";

/** A point of a mean curve; low and high are undefined where there is one curve. */
export interface MeanPoint {
  x: number;
  y: number;
  low?: number;
  high?: number;
}

/**
 * The mean of several curves, place by place, with its 95 % interval, as far as all of them go.
 * @param most what a value can be at most; at least it is 0
 */
export function meanCurve(
  xs: ArrayLike<number>[],
  ys: ArrayLike<number>[],
  most = Number.POSITIVE_INFINITY,
): MeanPoint[] {
  const costs = meanSeries(xs);
  const rows = Math.min(costs.length, ...ys.map(({ length }) => length));
  return Array.from({ length: rows }, (_, at) => {
    const { mean: y, low, high } = meanInterval(ys.map((values) => values[at]));
    if (low === undefined || high === undefined) return { x: costs[at], y };
    return { x: costs[at], y, low: Math.max(0, low), high: Math.min(most, high) };
  });
}
