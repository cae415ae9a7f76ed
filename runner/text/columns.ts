/** Tables of numbers in a terminal. */
import type { Compared } from "../stage.ts";

/** A difference with a p below this is called significant. */
export const SIGNIFICANT = 0.05;

/** Rows of cells as lines, each column as wide as its widest cell. */
export function columns(rows: string[][]): string[] {
  const widths = rows[0].map((_, column) =>
    rows.reduce((most, row) => Math.max(most, row[column].length), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}

/** Rows of cells as a table of Markdown, the first row its head. */
export function markdownTable(rows: string[][]): string[] {
  const line = (row: string[]) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const [head, ...rest] = rows;
  return ["", line(head), line(head.map(() => "---")), ...rest.map(line), ""];
}

const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(4)}`;

/** before, now, difference, interval, p and what they rest on. */
export function effectCells({ before, now, difference, low, high, p, how }: Compared): string[] {
  return [
    before.toFixed(4),
    now.toFixed(4),
    signed(difference),
    low === undefined || high === undefined ? "–" : `${signed(low)} to ${signed(high)}`,
    p === undefined ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3),
    how,
  ];
}
