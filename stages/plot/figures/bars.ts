/** How good each group is: bars of mAP, dots of kNN accuracy, with intervals. */

import { type History, trainingOf } from "../../shared/artifacts/history.ts";
import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { collapsedAmong } from "../../shared/runs/collapse.ts";
import { BRIGHT } from "../../shared/runs/colours.ts";
import { byName, groupRuns } from "../../shared/runs/groups.ts";
import { meanInterval } from "../../shared/statistics/intervals.ts";
import type { Figure } from "../figure.ts";
import { RAW_COLOUR } from "../theme.ts";

/** Height of a row, in pixels. */
const ROW = 30;

const INTERVALS =
  "Whiskers are 95 % intervals: over seeds (Student's t) where there are several, else over queries (bootstrap). Small dots are single runs. Grey: made without labels.";

/** One row for each group: its mean, its interval, kept inside [0, 1], and its runs. */
function rowsOf(evaluations: Evaluation[], histories: History[], metric: string) {
  const groups = groupRuns(evaluations).map(({ label: name, members }) => {
    const estimates = members.map(({ metrics }) => metrics[metric]);
    const values = estimates.map(({ value }) => value);
    const { mean, low = estimates[0].low, high = estimates[0].high } = meanInterval(values);
    const collapsed = collapsedAmong(members.map(({ recipe }) => trainingOf(histories, recipe)));
    const label = collapsed ? `${name} (${collapsed})` : name;
    const { trained } = members[0];
    return { label, trained, mean, low: Math.max(0, low), high: Math.min(1, high), values };
  });
  return groups.sort((a, b) => b.mean - a.mean);
}

/**
 * mAP as bars from 0, kNN accuracy as dots on an axis that starts where they do. One figure for each protocol.
 * @param histories of the trainings: a collapsed one is named
 */
export function bars(evaluations: Evaluation[], histories: History[]): Figure[] {
  return [...byName(evaluations, ({ protocol }) => protocol)].flatMap(([protocol, own]) =>
    (["map", "knn_accuracy"] as const).map((metric): Figure => {
      const name = metric === "map" ? "mAP" : "kNN accuracy";
      const rows = rowsOf(own, histories, metric);
      const sort = rows.map(({ label }) => label);
      const fromZero = metric === "map";
      // Room for the number behind the longest whisker.
      const right = Math.max(...rows.map(({ high }) => high));
      const left = fromZero ? 0 : Math.min(...rows.map(({ low }) => low));
      const scale = {
        zero: fromZero,
        nice: false,
        domain: [
          Math.max(0, left - (right - left) * 0.05 * (fromZero ? 0 : 1)),
          right + (right - left) * 0.14,
        ],
      };
      const y = {
        field: "label",
        type: "nominal" as const,
        sort,
        title: null,
        axis: { labelPadding: 8, ticks: false },
      };
      const colour = {
        condition: { test: "!datum.trained", value: RAW_COLOUR },
        value: BRIGHT[0],
      };
      const mean = fromZero
        ? { mark: { type: "bar" as const, height: 16, opacity: 0.55 }, encoding: { color: colour } }
        : {
            mark: { type: "point" as const, shape: "diamond", filled: true, size: 90, opacity: 1 },
            encoding: { color: colour },
          };
      return {
        name: `${metric === "map" ? "map" : "knn"}-${protocol}`,
        title: `${name} (${protocol})`,
        caption: `${name} of the ${own[0].queries} queries against a database of ${own[0].database}, protocol ${protocol}. ${INTERVALS}${fromZero ? "" : " The axis does not start at 0."}`,
        alt: rows.map(({ label, mean: value }) => `${label} ${value.toFixed(3)}`).join(", "),
        spec: {
          data: { values: rows.map((row) => ({ ...row, text: row.mean.toFixed(3) })) },
          title: {
            text: `${name}, protocol ${protocol}`,
            subtitle: [
              "Mean with its 95 % interval: over seeds where there are several, else over queries;",
              `small dots are single runs, grey is made without labels${fromZero ? "" : "; the axis does not start at 0"}`,
            ],
          },
          width: 560,
          height: { step: ROW },
          encoding: { y },
          layer: [
            {
              ...mean,
              encoding: {
                ...mean.encoding,
                x: {
                  field: "mean",
                  type: "quantitative",
                  title: name,
                  scale,
                  axis: { format: ".2f", tickCount: 5 },
                },
              },
            },
            {
              mark: { type: "rule", strokeWidth: 1.5, color: "#222222" },
              encoding: { x: { field: "low", type: "quantitative" }, x2: { field: "high" } },
            },
            ...(["low", "high"] as const).map((field) => ({
              mark: { type: "tick" as const, size: 8, thickness: 1.5, color: "#222222" },
              encoding: { x: { field, type: "quantitative" as const } },
            })),
            {
              transform: [{ flatten: ["values"] }],
              mark: { type: "circle", size: 14, color: "#222222", opacity: 0.8, yOffset: 10 },
              encoding: { x: { field: "values", type: "quantitative" } },
            },
            {
              mark: { type: "text", align: "left", dx: 8, fontSize: 12, color: "#222222" },
              encoding: { x: { field: "high", type: "quantitative" }, text: { field: "text" } },
            },
          ],
        },
      };
    }),
  );
}
