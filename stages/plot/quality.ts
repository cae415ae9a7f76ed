/** Validation mAP against its cost, seconds or triplets, with the interval over seeds. */
import type { Appearances } from "../shared/runs/looks.ts";
import type { Figure, Spec } from "./figure.ts";
import { curveLayers, type Drawn, LEGEND_ROW, legendRows, linedPanels, meanRows } from "./lines.ts";
import { panelTitle } from "./theme.ts";

/** Panels side by side, and their size in pixels. */
const COLUMNS = 2;
const WIDTH = 350;
const HEIGHT = 260;
/** Width of a panel that is alone. */
const WIDE = 640;
/** Pixels below a panel: its axis, and the title of the next one. */
const BELOW = 120;

/** One training with its cost at each evaluation. */
export interface Priced extends Drawn {
  cost: ArrayLike<number>;
}

/**
 * The figure: for each group the mean over its seeds at each evaluation, in a band that is its 95 % interval.
 * @param groups the names and colours of all groups
 * @param cost the title of the x axis, and its scale in Vega-Lite's words
 */
export function qualityFigure(
  trainings: Priced[],
  groups: Appearances,
  words: Pick<Figure, "name" | "title" | "caption" | "alt">,
  cost: { title: string; scale: Spec; axis?: Spec },
): Figure {
  const panels = linedPanels(trainings, groups);
  const width = panels.length > 1 ? WIDTH : WIDE;
  const rows = Math.max(...panels.map(({ lines }) => legendRows(lines, width)));
  const panelSpec = ({ title, lines }: (typeof panels)[number], first: boolean): Spec => {
    const values = meanRows(
      lines,
      (run) => run.cost,
      ({ map }) => map,
      1,
    );
    return {
      title: panels.length > 1 ? panelTitle(title) : undefined,
      data: { values },
      width,
      height: HEIGHT,
      encoding: {
        x: { field: "x", type: "quantitative", ...cost },
        y: {
          field: "y",
          type: "quantitative",
          title: first ? "validation mAP" : "",
          scale: { zero: false },
          axis: { tickCount: 6 },
        },
      },
      layer: curveLayers(values, lines, width),
    };
  };
  return {
    ...words,
    spec: {
      title: { text: words.title, subtitle: "Mean over seeds; bands are 95 % intervals over seeds" },
      concat: panels.map((panel, index) => panelSpec(panel, index % COLUMNS === 0)),
      columns: COLUMNS,
      bounds: "flush",
      spacing: { row: BELOW + rows * LEGEND_ROW, column: 70 },
      resolve: { scale: { y: "shared", color: "independent", strokeDash: "independent" } },
    },
  };
}
