/** Charts of lines with their intervals, and legends that single one line out. */
import type { Mark, Scale, Spec } from "vega";
import type { Look } from "../../../shared/runs/looks.ts";
import type { CurvePoint } from "../view/series.ts";
import { make } from "./element.ts";
import { colourOf, type Theme, theme } from "./theme.ts";

/** Height of a small chart, in pixels. */
const HEIGHT = 220;
/** Room for the axes, in pixels. */
const ROOM = { left: 68, right: 16, top: 10, bottom: 42 };
/** Opacity of the lines that are not singled out. */
const FADED = 0.12;

/** How a line is told from the others. */
export interface Line {
  /** As its points have it. */
  line: string;
  /** In words. */
  name: string;
  /** Index of its colour; -1 is grey. */
  colour: number;
  dash: number[];
  /** Reference marks instead of a line. */
  marks?: boolean;
  /** Some of its runs collapsed: a dotted line that ends in a cross. */
  collapsed?: boolean;
}

const DASHES = [[], [7, 3], [3, 2], [9, 2, 2, 2]];
const DOTTED = [1.5, 3];

/** The line of a group. */
export function lineOf(label: string, { colour, round }: Look, name: string, collapsed = false): Line {
  return { line: label, name, colour, dash: collapsed ? DOTTED : DASHES[round % DASHES.length], collapsed };
}

/** An axis: its title, whether it starts at 0, and whether it is logarithmic. */
export interface Axis {
  title: string;
  zero?: boolean;
  log?: boolean;
  format?: string;
  /** The only values with a tick. */
  values?: number[];
  /** Where it begins and ends, independent of the points. */
  ends?: number[];
}

/** The data of a line chart. */
export interface Lines {
  points: CurvePoint[];
  lines: Line[];
  x: Axis;
  y: Axis;
  height?: number;
  /** The line that is singled out. */
  only?: string;
  /** Pixels between lines along x, so that equal ones do not hide each other. */
  apart?: number;
}

/** The last point of each collapsed line. */
function crosses({ points, lines }: Lines): CurvePoint[] {
  return lines.flatMap(({ line, collapsed }) => {
    const own = collapsed ? points.filter((point) => point.line === line && point.run === "mean") : [];
    return own.slice(-1);
  });
}

function marksOf({ lines, only, apart = 0 }: Lines): Mark[] {
  const offset = (index: string) => (apart ? `(${index} - ${(lines.length - 1) / 2}) * ${apart}` : "0");
  const at = { scale: "x", field: "x", offset: { signal: offset("datum.index") } };
  const place = { x: at, y: { scale: "y", field: "y" } };
  const stroke = { scale: "colour", field: "line" };
  const shown = only === undefined ? "1" : `datum.line === ${JSON.stringify(only)} ? 1 : ${FADED}`;
  const curve = (name: string, source: string, type: "line" | "area", encode: object): Mark => ({
    type: "group",
    from: { facet: { name, data: source, groupby: ["line", "run"] } },
    marks: [
      { type, from: { data: name }, interactive: false, aria: false, encode: { enter: encode } } as Mark,
    ],
  });
  return [
    curve("band", "bands", "area", {
      x: at,
      y: { scale: "y", field: "low" },
      y2: { scale: "y", field: "high" },
      fill: stroke,
      fillOpacity: { signal: `0.16 * (${shown})` },
    }),
    curve("curve", "means", "line", {
      ...place,
      stroke,
      strokeDash: { scale: "dash", field: "line" },
      strokeWidth: { value: 2.2 },
      strokeOpacity: { signal: shown },
    }),
    {
      type: "symbol",
      from: { data: "points" },
      aria: false,
      encode: {
        enter: {
          ...place,
          size: { signal: "datum.marks ? 60 : 36" },
          shape: { signal: "datum.marks ? 'diamond' : 'circle'" },
          fill: { signal: "datum.marks ? 'transparent' : scale('colour', datum.line)" },
          stroke,
          strokeWidth: { value: 1.5 },
          tooltip: { field: "tip" },
        },
        update: { opacity: { signal: shown }, size: { signal: "datum.marks ? 60 : 36" } },
        hover: { size: { value: 120 } },
      },
    },
    {
      type: "symbol",
      from: { data: "crosses" },
      interactive: false,
      aria: false,
      encode: {
        enter: {
          ...place,
          shape: { value: "M-1,-1L1,1M1,-1L-1,1" },
          size: { value: 90 },
          stroke,
          strokeWidth: { value: 2.5 },
          opacity: { signal: shown },
        },
      },
    },
  ];
}

/** The spec of a chart. @param width of its place, in pixels */
export function linesSpec(chart: Lines, width: number, colours: Theme = theme()): Spec {
  const { points, lines, x, y, height = HEIGHT } = chart;
  const number = (
    name: "x" | "y",
    { zero = false, log = false, ends }: Axis,
    range: "width" | "height",
  ): Scale => {
    const fields = name === "y" ? ["y", "low", "high"] : ["x"];
    const common = { name, domain: ends ?? { data: "points", fields }, range, nice: true };
    // Lengths of codes are near powers of 2, counts span powers of 10.
    const base = ends ? 2 : 10;
    return log ? { ...common, type: "log", base, nice: false } : { ...common, type: "linear", zero };
  };
  const ordinal = (name: string, range: unknown[]) => ({
    name,
    type: "ordinal" as const,
    domain: lines.map(({ line }) => line),
    range: range as string[],
  });
  const index = new Map(lines.map(({ line }, at) => [line, at]));
  const marks = new Set(lines.flatMap((one) => (one.marks ? one.line : [])));
  const full = (point: CurvePoint) => ({
    ...point,
    low: point.low ?? point.y,
    high: point.high ?? point.y,
    index: index.get(point.line),
    marks: marks.has(point.line),
  });
  const values = points.map(full);
  return {
    width: Math.max(80, width - ROOM.left - ROOM.right),
    height,
    padding: ROOM,
    autosize: "none",
    data: [
      { name: "points", values },
      { name: "means", values: values.filter((point) => !point.marks) },
      { name: "bands", values: values.filter(({ low, high, marks }) => high > low && !marks) },
      { name: "crosses", values: crosses(chart).map(full) },
    ],
    scales: [
      number("x", x, "width"),
      number("y", y, "height"),
      ordinal(
        "colour",
        lines.map(({ colour }) => colourOf(colours, colour)),
      ),
      ordinal(
        "dash",
        lines.map(({ dash }) => dash),
      ),
    ],
    axes: [
      {
        scale: "x",
        orient: "bottom",
        title: x.title,
        format: x.format ?? "~s",
        grid: true,
        ...(x.values ? { values: x.values } : { tickCount: 5 }),
        labelOverlap: "parity",
      },
      { scale: "y", orient: "left", title: y.title, tickCount: 5, grid: true },
    ],
    marks: marksOf(chart),
  };
}

/** The lines by name; a press singles one out, the next one shows all again. @param onChange told of the line, or none */
export function legend(
  lines: Line[],
  only: string | undefined,
  onChange: (only: string | undefined) => void,
): HTMLElement {
  const colours = theme();
  const items = lines.map(({ line, name, colour, dash, marks, collapsed }) => {
    const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    sample.setAttribute("viewBox", "0 0 30 8");
    sample.setAttribute("aria-hidden", "true");
    const stroke = `stroke="${colourOf(colours, colour)}"`;
    sample.innerHTML = marks
      ? `<path d="M15 0L19 4L15 8L11 4z" fill="none" ${stroke} stroke-width="1.5"/>`
      : `<line x1="0" x2="30" y1="4" y2="4" ${stroke} stroke-width="3" stroke-dasharray="${dash.join(" ")}"/>`;
    const button = make(
      "button",
      { type: "button", "aria-pressed": String(only === line) },
      sample,
      collapsed ? `${name} × collapsed` : name,
    );
    button.addEventListener("click", () => onChange(only === line ? undefined : line));
    return make("li", {}, button);
  });
  return make("ul", { class: "legend", "aria-label": "Lines: press one to single it out" }, ...items);
}

/** The legend in its place, again after each press and each change of colours. */
export function keepLegend(
  place: HTMLElement,
  lines: Line[],
  onChange: (only: string | undefined) => void,
): void {
  const show = (only: string | undefined, focus: number) => {
    const made = legend(lines, only, (next) => {
      onChange(next);
      show(
        next,
        lines.findIndex(({ line }) => line === (next ?? only)),
      );
    });
    place.replaceChildren(made);
    made.querySelectorAll("button")[focus]?.focus();
  };
  show(undefined, -1);
}
