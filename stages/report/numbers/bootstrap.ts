/**
 * The paired bootstrap over queries and seeds: queries are resampled, the same draw for every run; then seeds,
 * the same draw for every group that has the same seeds. So what makes a query hard or a seed lucky for all
 * falls out of a difference (Efron & Tibshirani 1993, ch. 13; Musgrave, Belongie & Lim 2020, sec. 4).
 */
import type { Random } from "../../shared/compute/random.ts";

/** Runs of one group: for each run, one value a query, all over the same queries in the same order. */
export interface Scores {
  /** What the seeds are: groups with equal ones are paired by them. */
  seeds: string[];
  runs: Float64Array[];
}

/** Means of a group under every draw. */
export interface Draws {
  /** Queries resampled, seeds as they are. */
  queries: Float64Array;
  /** Queries and seeds resampled. */
  both: Float64Array;
}

/**
 * Draws `resamples` times and returns each group's means.
 * @param groups all runs of all groups have the same number of queries
 */
export function drawMeans(groups: Scores[], resamples: number, random: Random): Draws[] {
  const runs = groups.flatMap(({ runs }) => runs);
  const queries = runs[0].length;
  // Query by query, so that one pass over a draw serves every run.
  const byQuery = new Float64Array(queries * runs.length);
  for (const [column, run] of runs.entries())
    for (let query = 0; query < queries; query++) byQuery[query * runs.length + column] = run[query];
  const seedSets = new Map<string, number>();
  for (const { seeds } of groups) seedSets.set(seeds.join("\n"), seeds.length);
  const result = groups.map(() => ({
    queries: new Float64Array(resamples),
    both: new Float64Array(resamples),
  }));
  const times = new Uint16Array(queries);
  const sums = new Float64Array(runs.length);
  for (let resample = 0; resample < resamples; resample++) {
    times.fill(0);
    for (let i = 0; i < queries; i++) times[random.int(queries)]++;
    sums.fill(0);
    for (let query = 0; query < queries; query++) {
      const weight = times[query];
      if (weight === 0) continue;
      const start = query * runs.length;
      for (let column = 0; column < runs.length; column++) sums[column] += weight * byQuery[start + column];
    }
    const drawnSeeds = new Map<string, number[]>();
    for (const [key, count] of seedSets)
      drawnSeeds.set(
        key,
        Array.from({ length: count }, () => random.int(count)),
      );
    let first = 0;
    for (const [index, { seeds, runs: own }] of groups.entries()) {
      let all = 0;
      for (let run = 0; run < own.length; run++) all += sums[first + run];
      let drawn = 0;
      for (const seed of drawnSeeds.get(seeds.join("\n"))!) drawn += sums[first + seed];
      result[index].queries[resample] = all / own.length / queries;
      result[index].both[resample] = drawn / own.length / queries;
      first += own.length;
    }
  }
  return result;
}

/** The middle 95 % of draws. */
export function percentileInterval(draws: Float64Array): { low: number; high: number } {
  const sorted = draws.slice().sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { low: at(0.025), high: at(0.975) };
}

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
