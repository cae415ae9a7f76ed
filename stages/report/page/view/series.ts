/** The curves of a chart, and their points. */
import { meanCurve } from "../../../shared/statistics/curves.ts";
import type { RunData } from "../data.ts";

/** The choices of the x axis. */
export const COSTS = {
  seconds: "seconds of training",
  images: "images seen",
  steps: "steps",
  triplets: "triplets or pairs used",
} as const;
export type Cost = keyof typeof COSTS;

/** The choices of the y axis. */
export type Measure = "loss" | "active" | "map";

/** A point of a curve. */
export interface CurvePoint {
  x: number;
  y: number;
  /** 95 % over seeds. */
  low?: number;
  high?: number;
  /** Of its group. */
  line: string;
  /** "mean", of one run too. */
  run: string;
  tip: string;
}

/** The costs that some run knows. */
export const costsOf = (runs: RunData[]): Cost[] =>
  (Object.keys(COSTS) as Cost[]).filter((cost) => runs.some((run) => run[cost] !== undefined));

/** The runs whose loss takes triplets or pairs: of the others there is no active share. */
export const counting = (runs: RunData[]): RunData[] => runs.filter(({ triplets }) => triplets !== undefined);

const shown = (value: number) =>
  Math.abs(value) < 1000 ? String(Number(value.toPrecision(4))) : Math.round(value).toLocaleString("en-US");

/**
 * The points of all curves: the mean over the seeds of a group, with its interval, as far as all of them go.
 * @param names of groups, in words
 */
export function curvePoints(
  runs: RunData[],
  cost: Cost,
  measure: Measure,
  measureName: string,
  names: Map<string, string>,
): CurvePoint[] {
  const groups = new Map<string, RunData[]>();
  for (const run of runs) if (run[cost]) groups.set(run.label, [...(groups.get(run.label) ?? []), run]);
  return [...groups].flatMap(([line, members]) => {
    const seeds = members.length > 1 ? `, mean of ${members.length} seeds` : "";
    return meanCurve(
      members.map((run) => run[cost]!),
      members.map((run) => run[measure]),
      measure === "loss" ? undefined : 1,
    ).map((point) => ({
      ...point,
      line,
      run: "mean",
      tip: `${names.get(line) ?? line}${seeds}: ${measureName} ${shown(point.y)} at ${shown(point.x)} ${COSTS[cost]}`,
    }));
  });
}

/** Runs by their loss function: losses of different functions have no common scale. */
export function byLoss(runs: RunData[]): [loss: string, runs: RunData[]][] {
  const losses = new Map<string, RunData[]>();
  for (const run of runs) {
    losses.set(run.loss_name, [...(losses.get(run.loss_name) ?? []), run]);
  }
  return [...losses];
}
