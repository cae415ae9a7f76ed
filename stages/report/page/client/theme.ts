/** Colours of charts: on white, on black, and on paper, which is white for every screen. */
import { LIGHT, METHODS, METHODS_ON_BLACK, MUTED } from "../../../shared/runs/colours.ts";

/** Colours of one chart. */
export interface Theme {
  ink: string;
  soft: string;
  line: string;
  back: string;
  classes: string[];
  /** Of methods, by the index of their colour; -1 is grey. */
  methods: string[];
}

/** The colour of a method. */
export const colourOf = ({ methods, soft }: Theme, colour: number): string => methods[colour] ?? soft;

const ON_WHITE: Theme = {
  ink: "#1b1f24",
  soft: "#57606a",
  line: "#d0d7de",
  back: "#ffffff",
  classes: MUTED,
  methods: METHODS,
};
const ON_BLACK: Theme = {
  ink: "#e6edf3",
  soft: "#9aa4af",
  line: "#3a424c",
  back: "#0f1419",
  classes: LIGHT,
  methods: METHODS_ON_BLACK,
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const paper = matchMedia("print");

/** The colours in use now. */
export const theme = (): Theme => (dark.matches && !paper.matches ? ON_BLACK : ON_WHITE);

/** Calls back when the colours change. */
export function onTheme(change: () => void): void {
  for (const query of [dark, paper]) query.addEventListener("change", change);
}

/** The Vega settings of all charts. */
export const vegaConfig = ({ ink, soft, line }: Theme) => ({
  background: "transparent",
  axis: {
    labelColor: ink,
    titleColor: ink,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal" as const,
    titlePadding: 8,
    gridColor: line,
    domainColor: soft,
    tickColor: soft,
  },
  style: { cell: { stroke: line } },
});
