/** Validation mAP against its cost, seconds or triplets, with the interval over seeds. A panel for each group of lines. */
import type { Point } from "../../runner/stage.ts";
import { meanInterval } from "../shared/statistics/intervals.ts";
import { meanSeries } from "../shared/statistics/means.ts";
import type { Figure, Spec } from "./figure.ts";
import { curveLayers, distinct, inPanel, lineEncoding, linesOf } from "./series.ts";

/** Panels side by side. */
const COLUMNS = 3;

/** One training: its validation mAP, and the cost at each evaluation. */
export interface Priced {
  point: Point;
  label: string;
  protocol: string;
  map: ArrayLike<number>;
  cost: ArrayLike<number>;
}

/**
 * The figure: for each group the mean over its seeds at each evaluation, in a band that is its 95 % interval.
 * @param cost what stands on the x axis, and its scale in Vega-Lite's words
 */
export function qualityFigure(
  trainings: Priced[],
  words: Pick<Figure, "name" | "title" | "caption" | "alt">,
  cost: { title: string; scale: Spec; axis?: Spec },
): Figure {
  const groups = linesOf(trainings);
  const panels = distinct(groups.map(({ panel }) => panel));
  const lines = distinct(groups.map(({ line }) => line));
  const values = groups.flatMap(({ panel, line, members }) => {
    const cost = meanSeries(members.map((member) => member.cost));
    const rows = Math.min(cost.length, ...members.map((member) => member.map.length));
    return Array.from({ length: rows }, (_, at) => {
      const { mean, low = mean, high = mean } = meanInterval(members.map((member) => member.map[at]));
      const interval = { low: Math.max(0, low), high: Math.min(1, high) };
      return { panel, line, run: "mean", cost: cost[at], map: mean, ...interval };
    });
  });
  const band: Spec = {
    mark: { type: "area", opacity: 0.18, line: false },
    encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
  };
  const layer = [band, ...curveLayers(values).filter((one) => !JSON.stringify(one).includes("!== 'mean'"))];
  const named = lineEncoding(lines);
  const panelSpec = (panel: string, first: boolean): Spec => ({
    title: panel ? { text: panel, fontSize: 13, offset: 8 } : undefined,
    width: panels.length > 1 ? 330 : 560,
    height: 240,
    transform: [{ filter: inPanel(panel) }],
    encoding: {
      x: { field: "cost", type: "quantitative", ...cost },
      y: {
        field: "map",
        type: "quantitative",
        title: first ? "validation mAP" : "",
        scale: { zero: false },
        axis: { tickCount: 6 },
      },
      ...named,
      detail: { field: "run" },
    },
    layer,
  });
  return {
    ...words,
    spec: {
      title: { text: words.title, subtitle: "Mean over seeds; bands are 95 % intervals over seeds" },
      data: { values },
      concat: panels.map((panel, index) => panelSpec(panel, index % COLUMNS === 0)),
      columns: COLUMNS,
      bounds: "flush",
      spacing: { row: 100, column: 60 },
      resolve: { scale: { y: "shared", color: "shared" } },
    },
  };
}
