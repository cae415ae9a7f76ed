/** How training went: loss, share of active triplets, validation mAP, against the images seen. */
import { type History, usesTriplets } from "../../shared/artifacts/history.ts";
import { meanSeries } from "../../shared/statistics/means.ts";
import type { Figure, Spec } from "../figure.ts";
import { curveLayers, distinct, inPanel, lineEncoding, linesOf } from "../series.ts";

const MEASURES = [
  { field: "loss", title: "loss" },
  { field: "active", title: "active share" },
  { field: "validationMap", title: "validation mAP" },
] as const;

interface Row {
  panel: string;
  line: string;
  /** The seed, or "mean". */
  run: string;
  images: number;
  loss: number;
  /** As a share of the run's first. */
  relativeLoss: number;
  /** null where the loss takes neither triplets nor pairs. */
  active: number | null;
  validationMap: number;
}

/** Every seed's rows, and those of their mean. */
function rowsOf(histories: History[]): {
  panels: string[];
  /** Panels that hold several loss functions, which have no common scale. */
  mixed: Set<string>;
  lines: string[];
  rows: Row[];
} {
  const groups = linesOf(histories);
  const lossesOf = (wanted: string) =>
    new Set(
      groups
        .filter(({ panel }) => panel === wanted)
        .flatMap(({ members }) => String(members[0].metadata.loss)),
    );
  const rows = groups.flatMap(({ panel, line, members }) => {
    const counts = members.every(usesTriplets);
    const series = (of: (history: History) => ArrayLike<number>) => meanSeries(members.map(of));
    const mean = {
      images: series(({ images }) => images),
      loss: series(({ loss }) => loss),
      active: series(({ active }) => active),
      validationMap: series(({ validationMap }) => validationMap),
    };
    const runs = [
      ...(members.length > 1 ? members.map((member) => ({ run: String(member.point.seed), ...member })) : []),
      { run: "mean", ...mean },
    ];
    return runs.flatMap(({ run, images, loss, active, validationMap }) =>
      Array.from(images, (seen, at): Row => {
        const [l, a, v] = [loss[at], active[at], validationMap[at]];
        return {
          panel,
          line,
          run,
          images: seen,
          loss: l,
          relativeLoss: l / loss[0],
          active: counts ? a : null,
          validationMap: v,
        };
      }),
    );
  });
  const panels = distinct(groups.map(({ panel }) => panel));
  return {
    panels,
    mixed: new Set(panels.filter((panel) => lossesOf(panel).size > 1)),
    lines: distinct(groups.map(({ line }) => line)),
    rows,
  };
}

/** One figure: a row of panels for each group of lines. None without histories. */
export function curves(histories: History[]): Figure[] {
  if (histories.length === 0) return [];
  const { panels, mixed, lines, rows } = rowsOf(histories);
  const maps = rows.map(({ validationMap }) => validationMap);
  const [low, high] = [Math.min(...maps), Math.max(...maps)];
  const uncounted = (wanted: string) =>
    rows.every(({ panel, active }) => panel !== wanted || active === null);
  const named = lineEncoding(lines);
  const layer = curveLayers(rows);
  const panelSpec = (panel: string, { field, title }: (typeof MEASURES)[number], last: boolean): Spec => ({
    title:
      panel && field === "loss"
        ? { text: panel, fontSize: 13, offset: 8 }
        : field === "active" && uncounted(panel)
          ? { text: "takes neither triplets nor pairs", fontSize: 12, fontWeight: "normal", offset: 8 }
          : undefined,
    width: 300,
    height: 190,
    transform: [{ filter: inPanel(panel) }],
    encoding: {
      x: {
        field: "images",
        type: "quantitative",
        title: last ? "images seen" : null,
        axis: { format: "~s", tickCount: 5 },
        scale: { zero: true },
      },
      y: {
        field: field === "loss" && mixed.has(panel) ? "relativeLoss" : field,
        type: "quantitative",
        title: field === "loss" && mixed.has(panel) ? "loss, share of its first" : title,
        scale:
          field === "loss"
            ? { zero: true }
            : { nice: true, domain: field === "active" ? [0, 1] : [low, high] }, // one axis for all panels
        axis: { tickCount: 5 },
      },
      ...named,
      detail: { field: "run" },
    },
    layer,
  });
  return [
    {
      name: "curves",
      title: "Training curves",
      caption:
        "Loss (mean since the evaluation before), share of triplets or pairs with a loss above 0, and mAP of the validation images, against the images seen. Where loss functions share a panel, each is drawn as a share of its first value: they have no common scale; nor has one loss with several margins. A loss that takes neither triplets nor pairs has no share. Thick: mean over seeds; thin: each seed.",
      alt: `Curves of ${histories.length} trainings; where each ended stands in the table of trainings.`,
      spec: {
        title: {
          text: "Training curves",
          subtitle: "Against the images seen; thick: mean over seeds, thin: each seed",
        },
        data: { values: rows },
        concat: panels.flatMap((panel, row) =>
          MEASURES.map((measure) => panelSpec(panel, measure, row === panels.length - 1)),
        ),
        columns: MEASURES.length,
        bounds: "flush",
        spacing: { row: 60, column: 70 },
        resolve: { scale: { color: "shared" } },
      },
    },
  ];
}
