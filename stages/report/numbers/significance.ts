/** How certain the difference of two groups is. */
import { type Draws, percentileInterval } from "../../shared/statistics/bootstrap.ts";

/** A difference of two groups, first less second. */
export interface Difference {
  low: number;
  high: number;
  /** Chance of a difference as large where there is none: two-sided, normal with the spread of the draws. */
  p: number;
}

/** P(|Z| > z) of the standard normal distribution, relative error below 1.2e-7 (Press et al. 1992, erfcc). */
export function beyond(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const series = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ].reduceRight((sum, term) => term + t * sum, 0);
  return Math.min(1, t * Math.exp(-x * x + series));
}

/**
 * How sure a difference is, from the draws of both groups. p is not counted among the draws: a count ends at
 * 1 / draws, which no correction for many pairs would leave below 0.05.
 * @param difference of the groups as they are
 */
export function differenceOf(a: Draws, b: Draws, difference: number): Difference {
  const draws = a.both.map((value, resample) => value - b.both[resample]);
  const centre = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (draws.length - 1);
  const p = variance > 0 ? beyond(difference / Math.sqrt(variance)) : difference === 0 ? 1 : 0;
  return { ...percentileInterval(draws), p };
}

/**
 * Holm's step-down correction (1979): p values such that rejecting all below 0.05 is wrong anywhere
 * with a chance of at most 0.05. In the order given.
 */
export function holm(ps: number[]): number[] {
  const order = ps.map((_, index) => index).sort((a, b) => ps[a] - ps[b]);
  const corrected = new Array<number>(ps.length);
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.min(1, Math.max(least, ps[index] * (ps.length - rank)));
    corrected[index] = least;
  }
  return corrected;
}
