/** How training went: validation mAP, loss, share of active triplets, against the images seen. */
import { type History, usesTriplets } from "../../shared/artifacts/history.ts";
import type { Appearances } from "../../shared/runs/looks.ts";
import type { Figure, Spec } from "../figure.ts";
import {
  curveLayers,
  type Drawn,
  drawn,
  LEGEND_ROW,
  type Line,
  legendRows,
  linedPanels,
  meanRows,
} from "../lines.ts";
import { panelTitle, TEXT } from "../theme.ts";

/** Width of the chart of validation mAP, and of the two beside it; height of all, in pixels. */
const LARGE = 380;
const SMALL = 190;
const HEIGHT = 240;
/** Charts in a row. */
const COLUMNS = 3;
/** Pixels below a row: its axis, and the title of the next one. */
const BELOW = 120;

interface Panel {
  title: string;
  lines: Line<Drawn>[];
}

/** One chart. The large one has the legend. */
function chart(
  lines: Line<Drawn>[],
  measure: { title: string; of: (run: Drawn) => ArrayLike<number>; most?: number; scale: Spec },
  width: number,
): Spec {
  const values = meanRows(lines, ({ history }) => history.images, measure.of, measure.most);
  return {
    data: { values },
    width,
    height: HEIGHT,
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title: "images seen",
        axis: { format: "~s", tickCount: 3 },
        scale: { zero: true },
      },
      y: {
        field: "y",
        type: "quantitative",
        title: measure.title,
        scale: measure.scale,
        axis: { tickCount: 5 },
      },
    },
    layer: curveLayers(values, lines, width === LARGE ? width : undefined),
  };
}

/** The loss, as a share of its first value where the lines have several loss functions: they have no common scale. */
function lossChart(lines: Line<Drawn>[]): Spec {
  const mixed = new Set(lines.map(({ members }) => members[0].loss_name)).size > 1;
  const measure = mixed
    ? {
        title: "loss, share of its first",
        of: ({ history: { loss } }: Drawn) => loss.map((value) => value / loss[0]),
      }
    : { title: "loss", of: ({ history }: Drawn) => history.loss };
  return chart(lines, { ...measure, scale: { zero: true } }, SMALL);
}

/** The share of active triplets or pairs, of the lines that use some. */
function activeChart(lines: Line<Drawn>[]): Spec {
  const counting = lines.filter(({ members }) => members.every(({ history }) => usesTriplets(history)));
  const of = ({ history }: Drawn) => history.active;
  if (counting.length)
    return chart(counting, { title: "active share", of, most: 1, scale: { domain: [0, 1] } }, SMALL);
  return {
    data: { values: [{ text: "uses neither triplets nor pairs" }] },
    width: SMALL,
    height: HEIGHT,
    view: { stroke: null },
    mark: { type: "text", fontSize: TEXT },
    encoding: { text: { field: "text" } },
  };
}

/** A row: validation mAP large, the loss and the active share beside it. */
const rowOf = ({ title, lines }: Panel): Spec[] => [
  {
    title: panelTitle(title),
    ...chart(
      lines,
      { title: "validation mAP", of: ({ map }) => map, most: 1, scale: { zero: false } },
      LARGE,
    ),
  },
  lossChart(lines),
  activeChart(lines),
];

/** One figure: a row of charts for each panel of the page. None without histories. */
export function curves(histories: History[], groups: Appearances): Figure[] {
  if (histories.length === 0) return [];
  const panels = linedPanels(histories.map(drawn), groups);
  const rows = Math.max(...panels.map(({ lines }) => legendRows(lines, LARGE)));
  return [
    {
      name: "curves",
      title: "Training curves",
      caption:
        "mAP of the validation images, loss (mean since the evaluation before) and share of triplets or pairs with a loss above 0, against the images seen. Where loss functions share a panel, each is drawn as a share of its first value: they have no common scale; nor has one loss with several margins. A loss that takes neither triplets nor pairs has no share. Means over seeds, bands are 95 % intervals over seeds; dotted lines collapsed.",
      alt: `Curves of ${histories.length} trainings; the table of trainings has their last values.`,
      spec: {
        title: {
          text: "Training curves",
          subtitle: "Means over seeds, bands are 95 % intervals over seeds; dotted lines collapsed",
        },
        concat: panels.flatMap(rowOf),
        columns: COLUMNS,
        bounds: "flush",
        spacing: { row: BELOW + rows * LEGEND_ROW, column: 75 },
        resolve: { scale: { color: "independent", strokeDash: "independent" } },
      },
    },
  ];
}
