/** An answer to a question of the study: sentences made from numbers by rules, a small chart, addresses. */
import { paramOf } from "../../shared/runs/recipe.ts";
import type { Comparison, GroupMetric, GroupSummary, ProtocolSummary } from "../numbers/summary.ts";

/** A row of an answer's chart. */
export interface Bar {
  name: string;
  value: number;
  /** 95 %. */
  low?: number;
  high?: number;
  /** Of the group that it shows: its colour. */
  label?: string;
  /** That some of its runs collapsed, in words. */
  mark?: string;
}

export interface Answer {
  id: "pretrained" | "losses" | "mining" | "steps" | "bits" | "published" | "best";
  question: string;
  /** Two sentences or so, each a line. */
  lines: string[];
  /** The quantity of the bars: "mAP". */
  measure: string;
  bars: Bar[];
  /** The argument of `explain`, for the numbers of the lines. */
  addresses: string[];
}

/** The input of an answer. */
export interface Numbers {
  protocol: string;
  summary: ProtocolSummary;
  /** In words, by label. */
  names: Map<string, string>;
  /** The published folder that addresses begin with; "": unknown. */
  folder: string;
}

export const three = (value: number): string => value.toFixed(3);
const signed = (value: number) => `${value < 0 ? "−" : "+"}${three(Math.abs(value))}`;

/** The interval of a mean: over seeds where there are several, else over queries. */
export const intervalOf = ({ seeds, queries }: GroupMetric) => seeds ?? queries;

/** "0.872 (95 %: 0.868 to 0.876)" */
export function told(metric: GroupMetric): string {
  const range = intervalOf(metric);
  return `${three(metric.mean)}${range ? ` (95 %: ${three(range.low)} to ${three(range.high)})` : ""}`;
}

/** `first` less `second`, whichever way round it was compared; undefined where it was not. */
export function differenceOf(
  { comparisons }: ProtocolSummary,
  first: string,
  second: string,
  metric: Comparison["metric"] = "map",
): Comparison | undefined {
  const found = comparisons.find(
    (one) =>
      one.metric === metric &&
      ((one.first === first && one.second === second) || (one.first === second && one.second === first)),
  );
  if (!found || found.first === first) return found;
  return { ...found, first, second, difference: -found.difference, low: -found.high, high: -found.low };
}

/** "+0.059 (95 %: +0.050 to +0.068), significant" */
export function size({ difference, low, high, excludes_zero, p_holm }: Comparison): string {
  const verdict = excludes_zero
    ? p_holm < 0.05
      ? "significant"
      : "significant, but not once corrected for all pairs"
    : "not significant";
  return `${signed(difference)} (95 %: ${signed(low)} to ${signed(high)}), ${verdict}`;
}

/** A row of the chart of mAP. */
export function barOf(name: string, label: string, { metrics, collapsed }: GroupSummary): Bar {
  const { low, high } = intervalOf(metrics.map) ?? {};
  return { name, value: metrics.map.mean, low, high, label, mark: collapsed || undefined };
}

/** A number of a group, as `explain` takes it. */
export function addressOf({ protocol, folder }: Numbers, label: string, metric: string): string {
  const words = (name: string) =>
    name
      .toLowerCase()
      .split(/[\s./,·]+/)
      .filter(Boolean)
      .join("/");
  return `${folder}#${words(protocol)}.${words(label)}.${metric}.mean`;
}

/** The margin of a group's loss, if validation chose it. */
export const chosenMargin = ({ recipe }: GroupSummary): unknown =>
  recipe.chosen?.includes("loss.margin") ? paramOf(recipe, "loss.margin") : undefined;

/** "1 seed", "3 seeds" */
export const seedsOf = ({ ids }: GroupSummary): string => `${ids.length} seed${ids.length === 1 ? "" : "s"}`;

/** The groups, best mAP first. */
export const entriesOf = ({ groups }: ProtocolSummary): [string, GroupSummary][] =>
  Object.entries(groups).sort(([, a], [, b]) => b.metrics.map.mean - a.metrics.map.mean);
