/** Validation mAP against what it cost: seconds, triplets. A panel for each group of lines. */
import type { Point } from "../../runner/stage.ts";
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
 * The figure: one thin line a seed, a thick one for their mean at each evaluation.
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
    const mean = {
      map: meanSeries(members.map((member) => member.map)),
      cost: meanSeries(members.map((member) => member.cost)),
    };
    const runs = [
      ...(members.length > 1 ? members.map((member) => ({ run: String(member.point.seed), ...member })) : []),
      { run: "mean", ...mean },
    ];
    return runs.flatMap((one) =>
      Array.from(one.map, (map, at) => ({ panel, line, run: one.run, cost: one.cost[at], map })),
    );
  });
  const layer = curveLayers(values);
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
      title: { text: words.title, subtitle: "Thick: mean over seeds, thin: each seed" },
      data: { values },
      concat: panels.map((panel, index) => panelSpec(panel, index % COLUMNS === 0)),
      columns: COLUMNS,
      bounds: "flush",
      spacing: { row: 100, column: 60 },
      resolve: { scale: { y: "shared", color: "shared" } },
    },
  };
}
