/** Lines in panels: which ones a panel has, and how they are told apart, as on the report's page. */

import type { History } from "../shared/artifacts/history.ts";
import { collapsedAmong } from "../shared/runs/collapse.ts";
import { type Appearances, distinctLooks, type Look } from "../shared/runs/looks.ts";
import { lineNames, panelsOf, ranked, type Trained } from "../shared/runs/panels.ts";
import { partWords } from "../shared/runs/words.ts";
import { meanCurve } from "../shared/statistics/curves.ts";
import type { Spec } from "./figure.ts";
import { colourOf, TEXT } from "./theme.ts";

/** Dashes of lines whose colour another one has: by how often the colours were used up. */
const DASHES = [
  [1, 0],
  [7, 3],
  [3, 2],
  [9, 2, 2, 2],
];
const DOTTED = [1.5, 3];

/** A training with its history. */
export interface Drawn extends Trained {
  history: History;
}

/** A training as it is drawn. */
export const drawn = (history: History): Drawn => ({
  label: history.label,
  point: history.point,
  protocol: history.protocol,
  loss_name: String(history.metadata.loss),
  map: history.validationMap,
  history,
});

/** A line: a group of trainings or of codes. */
export interface Line<T> {
  /** In words, without the words that all lines of its panel share. */
  name: string;
  colour: string;
  dash: number[];
  members: T[];
}

/** The colour and the dashes of a group. */
export const strokeOf = ({ colour, round }: Look): { colour: string; dash: number[] } => ({
  colour: colourOf(colour),
  dash: DASHES[round % DASHES.length],
});

/** The panels of some trainings with their lines, the best first. */
export function linedPanels<T extends Drawn>(
  runs: T[],
  groups: Appearances,
): { title: string; lines: Line<T>[] }[] {
  return panelsOf(runs, partWords).map(({ title, runs: own }) => {
    const members = ranked(own);
    const labels = members.map(([label]) => label);
    const names = lineNames(labels, groups);
    const looks = distinctLooks(labels, groups);
    const lines = members.map(([label, trainings]): Line<T> => {
      const collapsed = collapsedAmong(trainings.map(({ history }) => history));
      const name = names.get(label)!;
      const stroke = strokeOf(looks.get(label)!);
      return collapsed
        ? { ...stroke, name: `${name} (${collapsed})`, dash: DOTTED, members: trainings }
        : { ...stroke, name, members: trainings };
    });
    return { title, lines };
  });
}

/** A point of a mean curve. */
export interface Row {
  line: string;
  x: number;
  y: number;
  low: number;
  high: number;
}

/** The points of the lines: means over seeds with their intervals. @param most what a value can be at most */
export const meanRows = <T>(
  lines: Line<T>[],
  x: (run: T) => ArrayLike<number>,
  y: (run: T) => ArrayLike<number>,
  most?: number,
): Row[] =>
  lines.flatMap(({ name, members }) =>
    meanCurve(members.map(x), members.map(y), most).map(
      (point): Row => ({ line: name, ...point, low: point.low ?? point.y, high: point.high ?? point.y }),
    ),
  );

/** Pixels of a letter, and of a legend's entry without its letters. */
const LETTER = 0.6 * TEXT;
const SYMBOL = 40;
/** Pixels of a legend's row. */
export const LEGEND_ROW = TEXT + 6;

/** Columns of a legend that is as wide as its panel. */
const columnsOf = (lines: { name: string }[], width: number): number =>
  Math.max(1, Math.floor(width / (SYMBOL + LETTER * Math.max(...lines.map(({ name }) => name.length)))));

/** Rows of a legend that is as wide as its panel. */
export const legendRows = (lines: { name: string }[], width: number): number =>
  Math.ceil(lines.length / columnsOf(lines, width));

/** The encoding of lines by colour and dashes. @param width of the panel that has the legend; undefined: no legend */
export function lineEncoding(
  lines: Omit<Line<unknown>, "members">[],
  width?: number,
): { color: Spec; strokeDash: Spec } {
  const domain = lines.map(({ name }) => name);
  const channel = {
    field: "line",
    type: "nominal",
    title: null,
    sort: domain,
    legend:
      width === undefined
        ? null
        : {
            orient: "bottom",
            direction: "vertical",
            columns: columnsOf(lines, width),
            symbolStrokeWidth: 3,
            symbolType: "stroke",
            symbolSize: 300,
          },
  };
  return {
    color: { ...channel, scale: { domain, range: lines.map(({ colour }) => colour) } },
    strokeDash: { ...channel, scale: { domain, range: lines.map(({ dash }) => dash) } },
  };
}

/** So few evaluations make no curve: they are drawn as dots as well. */
const FEW = 12;

/** Vega-Lite's layers of a set of curves: bands for the intervals, lines for the means. @param width see {@link lineEncoding} */
export function curveLayers(rows: Row[], lines: Omit<Line<unknown>, "members">[], width?: number): Spec[] {
  const counts = new Map<string, number>();
  for (const { line } of rows) counts.set(line, (counts.get(line) ?? 0) + 1);
  const few = Math.min(...counts.values()) <= FEW;
  const { color, strokeDash } = lineEncoding(lines, width);
  const points = { mark: { type: "point", size: 36, filled: true, opacity: 1 }, encoding: { color } };
  const band = {
    transform: [{ filter: "datum.low < datum.high" }],
    mark: { type: "area", opacity: 0.16, line: false },
    encoding: { color, y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
  };
  return [
    ...(rows.some(({ low, high }) => low < high) ? [band] : []),
    { mark: { type: "line", strokeWidth: 2.2 }, encoding: { color, strokeDash } },
    ...(few ? [points] : []),
  ];
}
