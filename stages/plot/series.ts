/** How runs become panels and lines: the axis that is compared takes the colour, the others the panels. */
import type { Point, Scalar } from "../../runner/stage.ts";
import { BRIGHT } from "../shared/runs/colours.ts";
import { byName, type Group, groupRuns } from "../shared/runs/groups.ts";
import { legible } from "./legible.ts";
import { coloured } from "./theme.ts";

/** The axes that take the colour where they are there; else the last one does. */
const COLOURED = ["selector"];

/** A group with its panel and the name of its line. */
export interface Line<T> extends Group<T> {
  panel: string;
  line: string;
}

/** What an axis says of a group. */
const nameOf = ([axis, value]: [string, Scalar]) => (typeof value === "string" ? value : `${axis} ${value}`);

/**
 * Groups with their panel and line; no two have both in common, and no panel holds two protocols. What has one axis alone
 * is drawn in one panel, and so are panels that would hold one line each.
 */
export function linesOf<T extends { point: Point; label: string; protocol: string }>(runs: T[]): Line<T>[] {
  const several = new Set(runs.map(({ protocol }) => protocol)).size > 1;
  const lines = groupRuns(runs).map((group) => {
    const axes = Object.entries(group.point);
    const coloured = axes.find(([axis]) => COLOURED.includes(axis)) ?? axes.at(-1);
    const others = axes.filter((one) => one !== coloured).map(nameOf);
    const protocol = several ? group.members[0].protocol : "";
    return { ...group, line: coloured ? nameOf(coloured) : group.label, others, protocol };
  });
  const mixed = lines.some(({ others }) => others.length > 0);
  const placed = lines.map(({ others, protocol, ...line }) => {
    const own = others.length ? others.join(" · ") : mixed ? "others" : "";
    return { ...line, panel: [own, protocol].filter(Boolean).join(" · ") };
  });
  const alike = byName(placed, ({ panel, line }) => `${panel}\n${line}`);
  const told = placed.map((line) =>
    alike.get(`${line.panel}\n${line.line}`)!.length > 1 ? { ...line, line: line.label } : line,
  );
  const panels = new Set(told.map(({ panel }) => panel));
  return several || panels.size < told.length
    ? told
    : told.map((line) => ({ ...line, panel: "", line: line.label }));
}

/** The rows of a panel, as Vega's expression: a filter by field would take a name of no letters for none. */
export const inPanel = (panel: string): string => `datum.panel === ${JSON.stringify(legible(panel))}`;

/** So few evaluations make no curve: they are drawn as dots as well. */
const FEW = 12;

/** Vega-Lite's layers of a set of curves: thin for each seed, thick for their mean. */
export function curveLayers(rows: { run: string; line: string; panel: string }[]): Record<string, unknown>[] {
  const counts = new Map<string, number>();
  for (const { run, line, panel } of rows) {
    const key = JSON.stringify([panel, line, run]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const few = Math.min(...counts.values()) <= FEW;
  return [
    {
      transform: [{ filter: "datum.run !== 'mean'" }],
      mark: { type: "line", strokeWidth: 0.8, opacity: 0.45, point: few && { size: 12 } },
    },
    {
      transform: [{ filter: "datum.run === 'mean'" }],
      mark: { type: "line", strokeWidth: 2.4, point: few && { size: 40 } },
    },
  ];
}

/** A legend of longer names than this, in letters, takes half the columns. */
const LONG = 24;

/** How lines are told apart: by colour and, once the colours are used up, by dashes. */
export function lineEncoding(lines: string[]): Record<string, unknown> {
  const channel = {
    field: "line",
    type: "nominal",
    title: null,
    legend: {
      orient: "bottom",
      columns: lines.some((line) => line.length > LONG) ? 2 : 4,
      symbolStrokeWidth: 3,
      symbolType: "stroke",
      symbolSize: 250,
    },
  };
  const dashes = lines.map((_, index) => (index < BRIGHT.length ? [1, 0] : [5, 3]));
  return {
    color: { ...channel, scale: coloured(lines, BRIGHT) },
    ...(lines.length > BRIGHT.length && {
      strokeDash: { ...channel, scale: { domain: lines, range: dashes } },
    }),
  };
}

/** Names in the order in which they first stand. */
export const distinct = (names: string[]): string[] => [...new Set(names)];
