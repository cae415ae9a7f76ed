/** The sections of results: the headline, all metrics, classes. */
import { isRaw } from "../../shared/runs/groups.ts";
import {
  type Block,
  type Cell,
  cell,
  figureCell,
  groupCell,
  heading,
  list,
  type Table,
  text,
} from "../document/document.ts";
import type { GroupMetric, Interval, ProtocolSummary } from "../numbers/summary.ts";
import { unsaid } from "../numbers/unsaid.ts";

/** Decimals of a metric. */
export const DECIMALS = 4;

/** What the metrics are called. */
export const NAMES: Record<string, string> = {
  map: "mAP",
  knn_accuracy: "kNN accuracy",
  r_precision: "R-precision",
  map_at_r: "MAP@R",
  map_worst: "mAP, worst order of ties",
  map_best: "mAP, best order of ties",
  precision_radius_2: "precision, radius 2",
  validation_map: "validation mAP",
  validation_accuracy: "validation kNN accuracy",
};
export const nameOf = (metric: string): string => NAMES[metric] ?? metric;

/** Where there is no number. */
const NONE: Cell = { text: "–", sort: Number.NEGATIVE_INFINITY };

/** An interval as text; a dash where there is none. */
export function range(interval: Interval | undefined): Cell {
  if (!interval) return NONE;
  return {
    text: `${interval.low.toFixed(DECIMALS)} to ${interval.high.toFixed(DECIMALS)}`,
    sort: interval.low,
  };
}

/** The mean of each group, the best one strong. */
function means(groups: [string, { metrics: Record<string, GroupMetric> }][], metric: string): Cell[] {
  const values = groups.map(([, { metrics }]) => metrics[metric]?.mean);
  const best = Math.max(...values.filter((value) => value !== undefined));
  return values.map((value) =>
    value === undefined ? NONE : { ...figureCell(value, DECIMALS), strong: value === best },
  );
}

/** mAP and kNN accuracy of every group with both intervals. */
export function headline(protocol: string, { groups, queries, database }: ProtocolSummary): Table {
  const rows = Object.entries(groups);
  const marks = rows.some(([, { collapsed }]) => collapsed);
  const [maps, accuracies] = [means(rows, "map"), means(rows, "knn_accuracy")];
  return {
    kind: "table",
    caption: `Protocol ${protocol}: ${queries} queries, database of ${database}. Highest mAP first; means over runs.${marks ? " Collapsed runs are among the means." : ""}`,
    columns: [
      { title: "representation" },
      { title: "distance" },
      { title: "dim", number: true },
      { title: "runs", number: true },
      ...(marks ? [{ title: "collapsed" }] : []),
      { title: "mAP", number: true },
      { title: "95 % over seeds", number: true },
      { title: "95 % over queries", number: true },
      { title: "kNN accuracy", number: true },
      { title: "95 % over seeds", number: true },
      { title: "95 % over queries", number: true },
    ],
    rows: rows.map(([label, { distance, dim, ids, metrics, collapsed }], index) => [
      groupCell(label),
      cell(distance),
      figureCell(dim, 0),
      figureCell(ids.length, 0),
      ...(marks ? [cell(collapsed || "none")] : []),
      maps[index],
      range(metrics.map.seeds),
      range(metrics.map.queries),
      accuracies[index],
      range(metrics.knn_accuracy.seeds),
      range(metrics.knn_accuracy.queries),
    ]),
  };
}

/** Every metric, mean over seeds. */
export function allMetrics(protocol: string, { groups }: ProtocolSummary): Table {
  const rows = Object.entries(groups);
  const names = [...new Set(rows.flatMap(([, { metrics }]) => Object.keys(metrics)))];
  const ties = rows.some(([, { distance }]) => distance === "hamming")
    ? " Those of codes are expectations over all orders of ties."
    : "";
  const columns = names.map((name) => means(rows, name));
  return {
    kind: "table",
    caption: `Every metric, mean over runs, protocol ${protocol}. Recall@k is the share of queries with a relevant image among the first k.${ties}`,
    columns: [{ title: "representation" }, ...names.map((name) => ({ title: nameOf(name), number: true }))],
    rows: rows.map(([label], index) => [groupCell(label), ...columns.map((column) => column[index])]),
  };
}

/** mAP and kNN accuracy of each class, the groups side by side. */
export function classTable(
  protocol: string,
  { groups }: ProtocolSummary,
  metric: "map" | "knn_accuracy",
): Table {
  const rows = Object.entries(groups);
  const classes = [...new Set(rows.flatMap(([, summary]) => Object.keys(summary.classes)))];
  return {
    kind: "table",
    caption: `${nameOf(metric)} of each class, mean over seeds, protocol ${protocol}.`,
    columns: [{ title: "representation" }, ...classes.map((name) => ({ title: name, number: true }))],
    rows: rows.map(([label, summary]) => [
      groupCell(label),
      ...classes.map((name) =>
        Object.hasOwn(summary.classes, name) ? figureCell(summary.classes[name][metric], 3) : NONE,
      ),
    ]),
  };
}

/** The intervals of a mean in words; nothing where there is none. */
function intervals({ seeds, queries }: GroupMetric): string {
  const said = [
    ...(seeds ? [`over seeds ${range(seeds).text}`] : []),
    ...(queries ? [`over queries ${range(queries).text}`] : []),
  ];
  return said.length ? ` (95 %: ${said.join("; ")})` : "";
}

/** The first sentences: what is best, and by how much it is above the raw features. */
export function leadOf(protocols: Record<string, ProtocolSummary>): string {
  return Object.entries(protocols)
    .map(([protocol, { groups, comparisons }]) => {
      const [best, { metrics, seeds }] = Object.entries(groups)[0];
      const over = seeds.length > 1 ? `, mean of ${seeds.length} seeds` : "";
      const found = `Protocol ${protocol}: the highest mAP is ${metrics.map.mean.toFixed(3)}${intervals(metrics.map)}, of ${best}${over} (kNN accuracy ${metrics.knn_accuracy.mean.toFixed(3)}).`;
      const raw = comparisons.find(
        ({ metric, first, second }) => metric === "map" && first === best && isRaw(second),
      );
      if (!raw) return found;
      return `${found} The raw features have ${groups[raw.second].metrics.map.mean.toFixed(3)} (${groups[raw.second].metrics.knn_accuracy.mean.toFixed(3)}).`;
    })
    .join(" ");
}

/** The sections of one protocol's numbers. */
export function resultBlocks(
  protocol: string,
  summary: ProtocolSummary,
  figures: (name: string) => Block[],
): Block[] {
  const more = unsaid(summary.groups);
  return [
    heading(2, `Results under protocol ${protocol}`),
    headline(protocol, summary),
    ...(more.length ? [text("What the names of these leave out:"), ...list(more)] : []),
    text(
      "The interval over seeds says how far the mean of this many trainings may be off (Student's t); the interval over queries says it of the choice of query images, with these very trainings (bootstrap). They answer two questions; neither contains the other. The highest of many means on the same queries is likely to owe some of its lead to chance. k of kNN was chosen on validation images for each run.",
    ),
    ...figures(`map-${protocol}`),
    ...figures(`knn-${protocol}`),
    heading(3, "All metrics"),
    allMetrics(protocol, summary),
  ];
}

/** The section of classes. */
export function classBlocks(
  protocol: string,
  summary: ProtocolSummary,
  figures: (name: string) => Block[],
): Block[] {
  return [
    heading(2, `Classes under protocol ${protocol}`),
    ...figures(`classes-${protocol}`),
    classTable(protocol, summary, "map"),
    classTable(protocol, summary, "knn_accuracy"),
  ];
}
