/** Which curves are drawn, and through which points. */
import { meanSeries } from "../../../shared/statistics/means.ts";
import type { RunData } from "../data.ts";

/** What can stand along the x axis. */
export const COSTS = {
  seconds: "seconds of training",
  images: "images seen",
  steps: "steps",
  triplets: "triplets or pairs used",
} as const;
export type Cost = keyof typeof COSTS;

/** What can stand along the y axis. */
export type Measure = "loss" | "active" | "map";

/** A point of a curve. */
export interface CurvePoint {
  x: number;
  y: number;
  /** Of its group. */
  line: string;
  /** A seed, or "mean". */
  run: string;
  tip: string;
}

/** The costs that some run knows. */
export const costsOf = (runs: RunData[]): Cost[] =>
  (Object.keys(COSTS) as Cost[]).filter((cost) => runs.some((run) => run[cost] !== undefined));

/** Axes by which runs can be filtered, each with its values in the order in which they first stand. */
export function axesOf(runs: RunData[]): { axis: string; values: string[] }[] {
  const axes = new Map<string, Set<string>>();
  for (const { point } of runs)
    for (const [axis, value] of Object.entries(point)) {
      if (!axes.has(axis)) axes.set(axis, new Set());
      axes.get(axis)!.add(String(value));
    }
  return [...axes]
    .map(([axis, values]) => ({ axis, values: [...values] }))
    .filter(({ values }) => values.length > 1);
}

/** The runs left when some values of some axes are switched off. A run that lacks an axis is not filtered by it. */
export const filtered = (runs: RunData[], off: { axis: string; value: string }[]): RunData[] =>
  runs.filter(({ point }) => !off.some(({ axis, value }) => axis in point && String(point[axis]) === value));

/** The runs whose loss takes triplets or pairs: of the others there is no active share. */
export const counting = (runs: RunData[]): RunData[] => runs.filter(({ triplets }) => triplets !== undefined);

const shown = (value: number) =>
  Math.abs(value) < 1000 ? String(Number(value.toPrecision(4))) : Math.round(value).toLocaleString("en-US");

/** The points of all curves: each seed's, and where a group has several, their mean's. */
export function curvePoints(
  runs: RunData[],
  cost: Cost,
  measure: Measure,
  measureName: string,
): CurvePoint[] {
  const groups = new Map<string, RunData[]>();
  for (const run of runs) if (run[cost]) groups.set(run.label, [...(groups.get(run.label) ?? []), run]);
  return [...groups].flatMap(([line, members]) => {
    const curves = members.map((run) => ({
      run: members.length > 1 ? `seed ${run.point.seed}` : "mean",
      x: run[cost]!,
      y: run[measure],
    }));
    if (members.length > 1)
      curves.push({
        run: "mean",
        x: meanSeries(members.map((run) => run[cost]!)),
        y: meanSeries(members.map((run) => run[measure])),
      });
    return curves.flatMap(({ run, x, y }) =>
      x.slice(0, y.length).map((at, index) => ({
        x: at,
        y: y[index],
        line,
        run,
        tip: `${line}${members.length > 1 ? `, ${run === "mean" ? `mean of ${members.length} seeds` : run}` : ""}: ${measureName} ${shown(y[index])} at ${shown(at)} ${COSTS[cost]}`,
      })),
    );
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
