/** The section of representations: one table; every metric, interval and class folded below it. */
import {
  type Block,
  type Cell,
  cell,
  details,
  figureCell,
  groupCell,
  heading,
  markdownOnly,
  type Table,
  text,
} from "../document/document.ts";
import type { GroupMetric, GroupSummary, ProtocolSummary } from "../numbers/summary.ts";
import { barCells, DECIMALS, type Groups, means, NONE, nameOf, range } from "./cells.ts";
import { gradedBlocks, hasSeveral } from "./graded.ts";

/** The interval that counts first: over seeds where there are several, else over queries. */
const spread = ({ seeds, queries }: GroupMetric): Cell => range(seeds ?? queries);

/** The title of votes on images that have one label in some rows, and several in others. */
const MIXED = "kNN accuracy or F1";

/** The metric of the votes of neighbours: the accuracy where images have one label, F1 where they have several. */
function votesOf(rows: Groups): { title: string; cells: Cell[] } {
  const metricOf = (row: Groups[number]) => (hasSeveral(row) ? "f1_micro" : "knn_accuracy");
  const metrics = [...new Set(rows.map(metricOf))].sort().reverse();
  const columns = new Map(
    metrics.map((metric) => {
      const own = rows.filter((row) => metricOf(row) === metric);
      const cells = means(own, metric);
      return [metric, new Map(own.map((row, at) => [row, cells[at]]))];
    }),
  );
  return {
    title: metrics.length === 2 ? MIXED : metrics.map(nameOf).join(""),
    cells: rows.map((row) => columns.get(metricOf(row))!.get(row)!),
  };
}

/** Every group in the columns that matter. */
export function headline(
  protocol: string,
  { queries, database }: ProtocolSummary,
  rows: Groups,
  names: Map<string, string>,
): Table {
  const maps = barCells(rows, "map");
  const votes = votesOf(rows);
  const collapsed = rows.some(([, group]) => group.collapsed);
  return {
    kind: "table",
    caption: `Protocol ${protocol}: ${queries.toLocaleString("en-US")} queries, a database of ${database.toLocaleString("en-US")}. Highest mAP first; means over runs. 95 % intervals: over seeds where there are several, else over queries.${collapsed ? " Collapsed runs are among the means of marked rows." : ""}`,
    columns: [
      { title: "representation" },
      { title: "mAP", number: true },
      { title: "95 %", number: true, minor: true },
      { title: votes.title, number: true },
      { title: "dim", number: true, minor: true },
      { title: "runs", number: true, minor: true },
    ],
    rows: rows.map(([label, { dim, ids, metrics, collapsed }], index) => [
      { ...groupCell(label, names), mark: collapsed || undefined },
      maps[index],
      spread(metrics.map),
      votes.cells[index],
      figureCell(dim, 0),
      figureCell(ids.length, 0),
    ]),
  };
}

/** Both intervals of both metrics. */
function intervalTable(protocol: string, rows: Groups, names: Map<string, string>): Table {
  const both = ["map", "knn_accuracy"] as const;
  return {
    kind: "table",
    caption: `95 % intervals of the means, protocol ${protocol}: over seeds (Student's t, how far the mean of this many trainings may be off) and over queries (bootstrap, the same for the choice of query images with these very trainings). They answer two questions; neither contains the other.`,
    columns: [
      { title: "representation" },
      { title: "distance" },
      ...both.flatMap((metric) => [
        { title: nameOf(metric), number: true },
        { title: "over seeds", number: true },
        { title: "over queries", number: true },
      ]),
    ],
    rows: rows.map(([label, { distance, metrics }]) => [
      groupCell(label, names),
      cell(distance),
      ...both.flatMap((metric) => [
        figureCell(metrics[metric].mean, DECIMALS),
        range(metrics[metric].seeds),
        range(metrics[metric].queries),
      ]),
    ]),
  };
}

/** Every metric, mean over seeds. */
function allMetrics(protocol: string, rows: Groups, known: Map<string, string>): Table {
  const names = [...new Set(rows.flatMap(([, { metrics }]) => Object.keys(metrics)))];
  const ties = rows.some(([, { distance }]) => distance === "hamming")
    ? " Those of codes are expectations over all orders of ties."
    : "";
  const columns = names.map((name) => means(rows, name));
  return {
    kind: "table",
    caption: `Every metric, mean over runs, protocol ${protocol}. Recall@k is the share of queries with a relevant image among the first k.${ties} k of kNN was chosen on validation images for each run.`,
    columns: [{ title: "representation" }, ...names.map((name) => ({ title: nameOf(name), number: true }))],
    rows: rows.map(([label], index) => [groupCell(label, known), ...columns.map((column) => column[index])]),
  };
}

/** A metric of each class; `votes` as {@link votesOf} takes them. */
function classTable(
  protocol: string,
  rows: Groups,
  names: Map<string, string>,
  metric: "map" | "votes",
): Table {
  const several = rows.filter(hasSeveral).length;
  const votes = several === 0 ? nameOf("knn_accuracy") : several === rows.length ? "F1" : MIXED;
  const classes = [...new Set(rows.flatMap(([, summary]) => Object.keys(summary.classes)))];
  return {
    kind: "table",
    caption: `${metric === "map" ? nameOf(metric) : votes} of each class, mean over seeds, protocol ${protocol}.`,
    columns: [{ title: "representation" }, ...classes.map((name) => ({ title: name, number: true }))],
    rows: rows.map(([label, summary]) => [
      groupCell(label, names),
      ...classes.map((name) => {
        const { map, f1, knn_accuracy } = summary.classes[name] ?? {};
        const value = metric === "map" ? map : (f1 ?? knn_accuracy);
        return value === undefined ? NONE : figureCell(value, 3);
      }),
    ]),
  };
}

/** Reference tables, folded. */
export function lookupBlocks(
  protocol: string,
  { groups }: ProtocolSummary,
  names: Map<string, string>,
): Block[] {
  const rows = Object.entries(groups);
  return details(
    `Every metric and interval, protocol ${protocol}`,
    intervalTable(protocol, rows, names),
    allMetrics(protocol, rows, names),
  );
}

/** The classes of a protocol: folded. */
export const classBlocks = (
  protocol: string,
  { groups }: ProtocolSummary,
  names: Map<string, string>,
  figures: (name: string) => Block[],
): Block[] =>
  details(
    `Each class, protocol ${protocol}`,
    markdownOnly(...figures(`classes-${protocol}`)),
    classTable(protocol, Object.entries(groups), names, "map"),
    classTable(protocol, Object.entries(groups), names, "votes"),
  );

/** Vectors, as they are ranked: codes have a section of their own. */
const isVector = ([, { distance }]: [string, GroupSummary]): boolean => distance !== "hamming";

/** The section of representations; none where there are only codes. */
export function resultBlocks(
  protocols: [string, ProtocolSummary][],
  names: Map<string, string>,
  figures: (name: string) => Block[],
  significance: (protocol: string, summary: ProtocolSummary) => Block[],
): Block[] {
  const own = protocols.filter(([, { groups }]) => Object.entries(groups).some(isVector));
  if (own.length === 0) return [];
  return [
    heading(2, "Representations"),
    ...own.flatMap(([protocol, summary]) => [
      headline(protocol, summary, Object.entries(summary.groups).filter(isVector), names),
      ...gradedBlocks(protocol, Object.entries(summary.groups).filter(isVector), names),
      markdownOnly(...figures(`map-${protocol}`), ...figures(`knn-${protocol}`)),
      ...significance(protocol, summary),
      ...lookupBlocks(protocol, summary, names),
    ]),
    text("The highest of many means on the same queries is likely to owe some of its lead to chance."),
  ];
}
