/** Colours of charts: on white, on black, and on paper, which is white whatever the screen is. */
import { LIGHT, MUTED } from "../../../shared/runs/colours.ts";

/** Colours of one chart. */
export interface Theme {
  ink: string;
  soft: string;
  line: string;
  back: string;
  classes: string[];
}

const ON_WHITE: Theme = { ink: "#1b1f24", soft: "#57606a", line: "#d0d7de", back: "#ffffff", classes: MUTED };
const ON_BLACK: Theme = { ink: "#e6edf3", soft: "#9aa4af", line: "#3a424c", back: "#0f1419", classes: LIGHT };

const dark = matchMedia("(prefers-color-scheme: dark)");
const paper = matchMedia("print");

/** The colours that hold now. */
export const theme = (): Theme => (dark.matches && !paper.matches ? ON_BLACK : ON_WHITE);

/** Calls back when other colours hold. */
export function onTheme(change: () => void): void {
  for (const query of [dark, paper]) query.addEventListener("change", change);
}

/** What Vega takes for all charts. */
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
