/** Tables of numbers in a terminal. */
import type { Compared } from "../stage.ts";

/** A difference with a p below this is called significant. */
export const SIGNIFICANT = 0.05;

/** A last column narrower than this is left to the terminal, which cuts words. */
const NARROWEST = 20;

/** A text as lines of at most `width` characters where its words allow it. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * Rows of cells as lines, each column as wide as its widest cell.
 * @param width of the terminal: the last column is wrapped at words to fit; none (a file, a pipe): one line a row
 */
export function columns(rows: string[][], width = Number.POSITIVE_INFINITY): string[] {
  const widths = rows[0].map((_, column) =>
    rows.reduce((most, row) => Math.max(most, row[column].length), 0),
  );
  const start = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  const room = width - start >= NARROWEST ? width - start : Number.POSITIVE_INFINITY;
  return rows.flatMap((row) => {
    const [first, ...more] = Number.isFinite(room)
      ? wrapped(row[row.length - 1], room)
      : [row[row.length - 1]];
    const cells = [...row.slice(0, -1).map((cell, column) => cell.padEnd(widths[column])), first];
    return [cells.join("  ").trimEnd(), ...more.map((line) => " ".repeat(start) + line)];
  });
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
