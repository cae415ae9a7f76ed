/** Cells that tables of metrics share, and the names of the metrics. */
import { type Cell, figureCell } from "../document/document.ts";
import type { GroupSummary, Interval } from "../numbers/summary.ts";

/** Decimals of a metric. */
export const DECIMALS = 4;

/** The names of the metrics. */
const NAMES: Record<string, string> = {
  map: "mAP",
  knn_accuracy: "kNN accuracy",
  r_precision: "R-precision",
  map_at_r: "MAP@R",
  map_worst: "mAP, worst order of ties",
  map_best: "mAP, best order of ties",
  precision_radius_2: "precision, radius 2",
  wap: "WAP",
  f1_micro: "F1 of all labels",
  f1_macro: "F1, mean of labels",
  validation_map: "validation mAP",
  validation_accuracy: "validation kNN accuracy",
};
export const nameOf = (metric: string): string =>
  NAMES[metric] ?? metric.replace(/^ndcg@/, "nDCG@").replace(/^acg@/, "ACG@");

/** Where there is no number. */
export const NONE: Cell = { text: "–", sort: Number.NEGATIVE_INFINITY };

/** Groups with their labels. */
export type Groups = [label: string, group: GroupSummary][];

/** An interval as text; a dash where there is none. */
export function range(interval: Interval | undefined): Cell {
  if (!interval) return NONE;
  return {
    text: `${interval.low.toFixed(DECIMALS)} to ${interval.high.toFixed(DECIMALS)}`,
    sort: interval.low,
  };
}

/** The mean of each group, the best one strong. */
export function means(groups: Groups, metric: string): Cell[] {
  const values = groups.map(([, { metrics }]) => metrics[metric]?.mean);
  const best = Math.max(...values.filter((value) => value !== undefined));
  return values.map((value) =>
    value === undefined ? NONE : { ...figureCell(value, DECIMALS), strong: value === best },
  );
}

/** The same with bars and intervals behind the numbers. */
export function barCells(groups: Groups, metric: string): Cell[] {
  const found = groups.map(([, { metrics }]) => metrics[metric]);
  const ends = found.map((one) => (one ? ((one.seeds ?? one.queries)?.high ?? one.mean) : 0));
  const most = Math.max(...ends, ...found.map((one) => one?.mean ?? 0));
  return means(groups, metric).map((made, at) => {
    const one = found[at];
    if (!one) return made;
    return { ...made, bar: { value: one.mean, ...(one.seeds ?? one.queries), most } };
  });
}
