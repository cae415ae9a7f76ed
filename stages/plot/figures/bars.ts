/** How good each group is: bars of mAP, dots of kNN accuracy, with intervals. */
import { type History, trainingOf } from "../../shared/artifacts/history.ts";
import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { collapsedAmong } from "../../shared/runs/collapse.ts";
import { byName, groupRuns } from "../../shared/runs/groups.ts";
import type { Appearances } from "../../shared/runs/looks.ts";
import { meanInterval } from "../../shared/statistics/intervals.ts";
import type { Figure, Spec } from "../figure.ts";
import { colourOf, RAW_COLOUR, TEXT } from "../theme.ts";

/** Height of a row, in pixels. */
const ROW = 30;
/** Of whiskers, dots and numbers. */
const INK = "#222222";

const INTERVALS =
  "Whiskers are 95 % intervals: over seeds (Student's t) where there are several, else over queries (bootstrap). Small dots are single runs. Grey: made without labels.";

/** One row for each group: its mean, its interval, kept inside [0, 1], and its runs. */
function rowsOf(evaluations: Evaluation[], histories: History[], metric: string, groups: Appearances) {
  const rows = groupRuns(evaluations).map(({ label: key, members }) => {
    const estimates = members.map(({ metrics }) => metrics[metric]);
    const values = estimates.map(({ value }) => value);
    const { mean, low = estimates[0].low, high = estimates[0].high } = meanInterval(values);
    const collapsed = collapsedAmong(members.map(({ recipe }) => trainingOf(histories, recipe)));
    const { name, colour: index } = groups[key];
    const label = collapsed ? `${name} (${collapsed})` : name;
    const colour = members[0].trained ? colourOf(index) : RAW_COLOUR;
    const text = mean.toFixed(3);
    return { label, colour, mean, low: Math.max(0, low), high: Math.min(1, high), values, text };
  });
  return rows.sort((a, b) => b.mean - a.mean);
}
type Row = ReturnType<typeof rowsOf>[number];

const x = (field: string): Spec => ({ x: { field, type: "quantitative" } });

/** The ends of the x axis: bars start at 0, and there is room for the number behind the longest whisker. */
function domainOf(rows: Row[], fromZero: boolean): [number, number] {
  const right = Math.max(...rows.map(({ high }) => high));
  const left = fromZero ? 0 : Math.min(...rows.map(({ low }) => low));
  const size = right - left;
  return [fromZero ? 0 : Math.max(0, left - size * 0.05), right + size * 0.14];
}

/** The mean as a bar or a dot, its whisker, its runs and its number. */
function layers(rows: Row[], title: string, fromZero: boolean): Spec[] {
  const mean = {
    field: "mean",
    type: "quantitative",
    title,
    scale: { zero: fromZero, nice: false, domain: domainOf(rows, fromZero) },
    axis: { format: ".2f", tickCount: 5 },
  };
  return [
    {
      mark: fromZero
        ? { type: "bar", height: 16, opacity: 0.6 }
        : { type: "point", shape: "diamond", filled: true, size: 90, opacity: 1 },
      encoding: { x: mean, color: { field: "colour", type: "nominal", scale: null } },
    },
    {
      mark: { type: "rule", strokeWidth: 1.5, color: INK },
      encoding: { ...x("low"), x2: { field: "high" } },
    },
    ...["low", "high"].map((field) => ({
      mark: { type: "tick", size: 8, thickness: 1.5, color: INK },
      encoding: x(field),
    })),
    {
      transform: [{ flatten: ["values"] }],
      mark: { type: "circle", size: 14, color: INK, opacity: 0.8, yOffset: 10 },
      encoding: x("values"),
    },
    {
      mark: { type: "text", align: "left", dx: 8, fontSize: TEXT, color: INK },
      encoding: { ...x("high"), text: { field: "text" } },
    },
  ];
}

function figure(protocol: string, own: Evaluation[], rows: Row[], metric: "map" | "knn_accuracy"): Figure {
  const name = metric === "map" ? "mAP" : "kNN accuracy";
  const fromZero = metric === "map";
  return {
    name: `${metric === "map" ? "map" : "knn"}-${protocol}`,
    title: `${name} (${protocol})`,
    caption: `${name} of the ${own[0].queries} queries against a database of ${own[0].database}, protocol ${protocol}. ${INTERVALS}${fromZero ? "" : " The axis does not start at 0."}`,
    alt: rows.map(({ label, text }) => `${label} ${text}`).join(", "),
    spec: {
      data: { values: rows },
      title: {
        text: `${name}, protocol ${protocol}`,
        subtitle: [
          "Mean with its 95 % interval: over seeds where there are several, else over queries;",
          `small dots are single runs, grey is made without labels${fromZero ? "" : "; the axis does not start at 0"}`,
        ],
      },
      width: 480,
      height: { step: ROW },
      encoding: {
        y: {
          field: "label",
          type: "nominal",
          sort: rows.map(({ label }) => label),
          title: null,
          axis: { labelPadding: 8, ticks: false },
        },
      },
      layer: layers(rows, name, fromZero),
    },
  };
}

/**
 * mAP as bars from 0, kNN accuracy as dots on an axis that starts where they do. One figure for each protocol.
 * @param histories of the trainings: a collapsed one is named
 */
export const bars = (evaluations: Evaluation[], histories: History[], groups: Appearances): Figure[] =>
  [...byName(evaluations, ({ protocol }) => protocol)].flatMap(([protocol, own]) =>
    (["map", "knn_accuracy"] as const).map((metric) =>
      figure(protocol, own, rowsOf(own, histories, metric, groups), metric),
    ),
  );
