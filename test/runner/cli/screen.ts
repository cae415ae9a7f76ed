/** A terminal without a window: what a person sees of the text that a program writes to it. */
import { EventEmitter } from "node:events";
import xterm from "@xterm/headless";

/** A stream that a program takes for a terminal. It keeps the written text and every change of its size, in order. */
export class Screen extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  private readonly first: [columns: number, rows: number];
  private readonly done: (string | [columns: number, rows: number])[] = [];

  constructor(columns: number, rows = 24) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.first = [columns, rows];
  }

  write(text: string): boolean {
    this.done.push(text);
    return true;
  }

  /** Changes the size, as a person does with a window. */
  resize(columns: number, rows = this.rows): void {
    this.columns = columns;
    this.rows = rows;
    this.done.push([columns, rows]);
    this.emit("resize");
  }

  get stream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }

  /** A moment, for {@link read}. */
  mark(): number {
    return this.done.length;
  }

  /**
   * The content of the terminal, with the scrolled lines: as rows, and as lines, where a wrapped line counts as one. Needs
   * real timers.
   * @param moment of an earlier {@link mark}
   */
  async read(moment = this.mark()): Promise<{ rows: string[]; lines: string[] }> {
    const [cols, rows] = this.first;
    const terminal = new xterm.Terminal({
      cols,
      rows,
      convertEol: true,
      scrollback: 10_000,
      allowProposedApi: true,
    });
    for (const one of this.done.slice(0, moment))
      if (typeof one === "string") await new Promise<void>((written) => terminal.write(one, written));
      else terminal.resize(...one);
    const { active } = terminal.buffer;
    const shown: string[] = [];
    const lines: string[] = [];
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row)!;
      shown.push(line.translateToString(true));
      if (line.isWrapped) lines.push(lines.pop() + line.translateToString(true));
      else lines.push(line.translateToString(true));
    }
    terminal.dispose();
    while (shown.at(-1) === "") shown.pop();
    while (lines.at(-1) === "") lines.pop();
    return { rows: shown, lines };
  }
}
