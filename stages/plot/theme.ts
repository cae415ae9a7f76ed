/** How figures look: light, readable, and told apart without seeing colour as most people do. */
import type { Config } from "vega-lite";

const FONT = "DejaVu Sans, Verdana, sans-serif";
const INK = "#222222";
const FAINT = "#dddddd";

/** The mark of what was not trained. */
export const RAW_COLOUR = "#777777";

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
    fontSize: 16,
    fontWeight: "bold",
    subtitleColor: "#444444",
    subtitleFontSize: 12,
    subtitlePadding: 6,
    offset: 14,
  },
  axis: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    titlePadding: 8,
    gridColor: FAINT,
    domainColor: "#888888",
    tickColor: "#888888",
    labelLimit: 0, // a name is shown whole
    labelFlush: false,
  },
  header: { labelFontSize: 13, labelFontWeight: "bold", labelColor: INK, title: null },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    symbolOpacity: 1,
    labelColor: INK,
    titleColor: INK,
    labelLimit: 0,
  },
  view: { stroke: FAINT },
};
