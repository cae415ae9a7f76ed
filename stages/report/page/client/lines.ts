/** Charts of lines: thin ones for each run, thick ones for their mean, points that tell their numbers. */
import type { Scale, Spec } from "vega";
import { BRIGHT } from "../../../shared/runs/colours.ts";
import type { CurvePoint } from "../view/series.ts";
import { make } from "./element.ts";

const HEIGHT = 230;
/** Room for the axes, in pixels. */
const ROOM = { left: 60, right: 14, top: 8, bottom: 40 };

/** How a line is told from the others: by colour and, once the colours are used up, by dashes. */
export interface Look {
  colour: string;
  dash: number[];
}
const DASHES = [[], [6, 3], [2, 2], [8, 2, 2, 2]];

export const looks = (lines: string[]): Map<string, Look> =>
  new Map(
    lines.map((line, index) => [
      line,
      {
        colour: BRIGHT[index % BRIGHT.length],
        dash: DASHES[Math.floor(index / BRIGHT.length) % DASHES.length],
      },
    ]),
  );

/** An axis: its title, whether it starts at 0, and whether it is logarithmic. */
export interface Axis {
  title: string;
  zero?: boolean;
  log?: boolean;
  format?: string;
}

/** The spec of a chart. @param width of its place, in pixels */
export function linesSpec(
  points: CurvePoint[],
  look: Map<string, Look>,
  x: Axis,
  y: Axis,
  width: number,
): Spec {
  const lines = [...look.keys()];
  const number = (name: "x" | "y", { zero = false, log = false }: Axis, range: "width" | "height"): Scale => {
    const common = { name, domain: { data: "points", field: name }, range, nice: true };
    return log ? { ...common, type: "log" } : { ...common, type: "linear", zero };
  };
  const place = { x: { scale: "x", field: "x" }, y: { scale: "y", field: "y" } };
  const ordinal = (name: string, range: unknown[]) => ({
    name,
    type: "ordinal" as const,
    domain: lines,
    range: range as string[],
  });
  return {
    width: Math.max(80, width - ROOM.left - ROOM.right),
    height: HEIGHT,
    padding: ROOM,
    autosize: "none",
    data: [{ name: "points", values: points }],
    scales: [
      number("x", x, "width"),
      number("y", y, "height"),
      ordinal(
        "colour",
        [...look.values()].map(({ colour }) => colour),
      ),
      ordinal(
        "dash",
        [...look.values()].map(({ dash }) => dash),
      ),
    ],
    axes: [
      { scale: "x", orient: "bottom", title: x.title, format: x.format ?? "~s", tickCount: 5, grid: true },
      { scale: "y", orient: "left", title: y.title, tickCount: 5, grid: true },
    ],
    marks: [
      {
        type: "group",
        from: { facet: { name: "curve", data: "points", groupby: ["line", "run"] } },
        marks: [
          {
            type: "line",
            from: { data: "curve" },
            interactive: false,
            aria: false,
            encode: {
              enter: {
                ...place,
                stroke: { scale: "colour", field: "line" },
                strokeDash: { scale: "dash", field: "line" },
                strokeWidth: { signal: "datum.run === 'mean' ? 2.4 : 0.8" },
                strokeOpacity: { signal: "datum.run === 'mean' ? 1 : 0.5" },
              },
            },
          },
        ],
      },
      {
        type: "symbol",
        from: { data: "points" },
        aria: false,
        encode: {
          enter: {
            ...place,
            size: { value: 50 },
            fill: { scale: "colour", field: "line" },
            tooltip: { field: "tip" },
          },
          update: { opacity: { signal: "datum.run === 'mean' ? 0.6 : 0" } },
          hover: { opacity: { value: 1 } },
        },
      },
    ],
  };
}

/** The names of the lines with how each looks. */
export function legend(look: Map<string, Look>): HTMLElement {
  const items = [...look].map(([line, { colour, dash }]) => {
    const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    sample.setAttribute("viewBox", "0 0 30 6");
    sample.setAttribute("aria-hidden", "true");
    sample.innerHTML = `<line x1="0" x2="30" y1="3" y2="3" stroke="${colour}" stroke-width="3" stroke-dasharray="${dash.join(" ")}"/>`;
    return make("li", {}, sample, line);
  });
  return make("ul", { class: "legend", "aria-label": "Lines" }, ...items);
}
