/** How figures look: light, readable, and told apart without seeing colour as most people do. */
import type { Config } from "vega-lite";
import { METHODS } from "../shared/runs/colours.ts";

const FONT = "DejaVu Sans, Verdana, sans-serif";
const INK = "#222222";
const FAINT = "#dddddd";

/** The mark of untrained representations. */
export const RAW_COLOUR = "#777777";

/** Size of labels, in pixels: a figure that a page shows at two thirds is still legible. */
export const TEXT = 14;

/** The colour of a method by its index, as on the report's page; -1 is grey. */
export const colourOf = (colour: number): string => METHODS[colour] ?? RAW_COLOUR;

/** The title of a panel. */
export const panelTitle = (text: string) => ({ text, fontSize: TEXT + 1, offset: 8 });

/** A colour for each name, round again when there are more names than colours. */
export function coloured(names: string[], scheme: string[]): { domain: string[]; range: string[] } {
  return { domain: names, range: names.map((_, index) => scheme[index % scheme.length]) };
}

export const CONFIG: Config = {
  background: "white",
  font: FONT,
  padding: 12,
  aria: false,
  title: {
    anchor: "start",
    color: INK,
    fontSize: 18,
    fontWeight: "bold",
    subtitleColor: "#444444",
    subtitleFontSize: TEXT,
    subtitlePadding: 6,
    offset: 14,
  },
  axis: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: TEXT,
    titleFontSize: TEXT,
    titleFontWeight: "normal",
    titlePadding: 8,
    gridColor: FAINT,
    domainColor: "#888888",
    tickColor: "#888888",
    labelLimit: 0, // a name is shown whole
    labelFlush: false,
  },
  header: { labelFontSize: TEXT, labelFontWeight: "bold", labelColor: INK, title: null },
  legend: {
    labelFontSize: TEXT,
    titleFontSize: TEXT,
    symbolOpacity: 1,
    labelColor: INK,
    titleColor: INK,
    labelLimit: 0,
  },
  view: { stroke: FAINT },
};
