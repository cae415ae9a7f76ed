/** A block of lines at the bottom of a terminal that is drawn again in place, below the lines that stay. */
import truncate from "cli-truncate";
import stringWidth from "string-width";

/** The size of a terminal that does not tell it. */
const USUAL = { columns: 80, rows: 24 };

/** Erases to the end of the line, and to the end of the screen. */
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** The columns and rows of a terminal. */
export interface Size {
  columns: number;
  rows: number;
}

/**
 * Draws the block. Its lines are cut to the width of the terminal; the lines that stay wrap as the terminal wraps them.
 * The cursor stays visible, on the line below the block: a killed process leaves the terminal as it was.
 */
export class LiveBlock {
  private readonly out: NodeJS.WriteStream;
  /** The lines on the screen, as they were written. */
  private shown: string[] = [];

  constructor(out: NodeJS.WriteStream) {
    this.out = out;
  }

  get size(): Size {
    return { columns: this.out.columns || USUAL.columns, rows: this.out.rows || USUAL.rows };
  }

  /**
   * Moves the cursor to the first line of the block. A narrower terminal has wrapped the lines of the block, so their
   * rows are counted by the present width.
   */
  private home(): string {
    const { columns } = this.size;
    const rows = this.shown.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)),
      0,
    );
    return rows ? `\r\u001b[${rows}A` : "\r";
  }

  /** Replaces the block. Of more lines than the terminal has rows, the last ones are shown. */
  draw(lines: string[]): void {
    const { columns, rows } = this.size;
    const cut = lines.slice(-Math.max(1, rows - 1)).map((line) => truncate(line, columns - 1));
    const text = cut.map((line) => `${line}${CLEAR_LINE}\n`).join("");
    this.out.write(`${this.home()}${text}${CLEAR_BELOW}`);
    this.shown = cut;
  }

  /** Writes text that stays, above the block. @param text ends with a newline */
  print(text: string): void {
    const { shown } = this;
    this.out.write(`${shown.length ? this.home() + CLEAR_BELOW : ""}${text}`);
    this.shown = [];
    if (shown.length) this.draw(shown);
  }

  /** Lets the next block begin where the cursor is, as after a shell has written below this one. */
  forget(): void {
    this.shown = [];
  }

  /** Removes the block. */
  clear(): void {
    if (this.shown.length) this.out.write(this.home() + CLEAR_BELOW);
    this.shown = [];
  }
}
