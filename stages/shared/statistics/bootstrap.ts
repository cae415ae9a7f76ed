/**
 * The bootstrap over queries, and the paired one over queries and seeds: queries are resampled, the same draw for every run;
 * then seeds, the same draw for every group that has the same seeds. So a query that is hard for all, or a seed that is good
 * for all, does not count in a difference (Efron & Tibshirani 1993, ch. 13; Musgrave, Belongie & Lim 2020, sec. 4).
 */
import type { Estimate } from "../artifacts/metrics.ts";
import type { Random } from "../compute/random.ts";

/** Draws behind each interval of {@link estimates}. */
export const RESAMPLES = 1000;

/** Runs of one group: for each run, one value a query, all over the same queries in the same order. */
export interface Scores {
  /** The seeds: groups with equal seeds are paired by them. */
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

/** The middle 95 % of draws. */
export function percentileInterval(draws: Float64Array): { low: number; high: number } {
  const sorted = draws.slice().sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { low: at(0.025), high: at(0.975) };
}

/**
 * Resamples the queries, the same draw for all columns.
 * @param columns one value a query, all of the same length
 * @param onDraw given the sums of the columns over each draw; it may draw from `random` too
 */
function resample(
  columns: ArrayLike<number>[],
  resamples: number,
  random: Random,
  onDraw: (sums: Float64Array, draw: number) => void,
): void {
  const queries = columns[0].length;
  // Query by query, so that one pass over a draw serves every column.
  const byQuery = new Float64Array(queries * columns.length);
  for (const [column, values] of columns.entries())
    for (let query = 0; query < queries; query++) byQuery[query * columns.length + column] = values[query];
  const times = new Uint16Array(queries);
  const sums = new Float64Array(columns.length);
  for (let draw = 0; draw < resamples; draw++) {
    times.fill(0);
    for (let i = 0; i < queries; i++) times[random.int(queries)]++;
    sums.fill(0);
    for (let query = 0; query < queries; query++) {
      const weight = times[query];
      if (weight === 0) continue;
      const start = query * columns.length;
      for (let column = 0; column < columns.length; column++)
        sums[column] += weight * byQuery[start + column];
    }
    onDraw(sums, draw);
  }
}

/**
 * Means over queries with percentile bootstrap intervals.
 * @param columns one value a query, all of the same length
 */
export function estimates(columns: ArrayLike<number>[], random: Random): Estimate[] {
  const queries = columns[0].length;
  const means = columns.map(() => new Float64Array(RESAMPLES));
  resample(columns, RESAMPLES, random, (sums, draw) => {
    for (const [column, sum] of sums.entries()) means[column][draw] = sum / queries;
  });
  return columns.map((column, index) => {
    let sum = 0;
    for (let i = 0; i < queries; i++) sum += column[i];
    return { value: sum / queries, ...percentileInterval(means[index]) };
  });
}

/**
 * Draws `resamples` times and returns each group's means.
 * @param groups all runs of all groups have the same number of queries
 */
export function drawMeans(groups: Scores[], resamples: number, random: Random): Draws[] {
  const runs = groups.flatMap(({ runs }) => runs);
  const queries = runs[0].length;
  const seedSets = new Map<string, number>();
  for (const { seeds } of groups) seedSets.set(seeds.join("\n"), seeds.length);
  const result = groups.map(() => ({
    queries: new Float64Array(resamples),
    both: new Float64Array(resamples),
  }));
  resample(runs, resamples, random, (sums, draw) => {
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
      result[index].queries[draw] = all / own.length / queries;
      result[index].both[draw] = drawn / own.length / queries;
      first += own.length;
    }
  });
  return result;
}
