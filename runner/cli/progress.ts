/** How far the running stages are: one line for each, and one for the run, fitted to a width. */
import truncate from "cli-truncate";
import stringWidth from "string-width";
import { colors, duration } from "../text/index.ts";

/** A terminal of at least so many columns has room for bars of so many cells; the widest first. */
const BARS = [
  { columns: 110, cells: 20 },
  { columns: 60, cells: 10 },
];

/** The columns that the name of a stage keeps at least, where there is more to show. */
const NAME_COLUMNS = 22;

/** A piece of a line. Of pieces that do not fit, those with the highest rank go first. */
interface Piece {
  text: string;
  rank: number;
}

/** The pieces that fit into a width, in order. */
function fitted(pieces: Piece[], width: number): string {
  const kept = pieces.filter(({ text }) => text !== "");
  const text = () => kept.map((piece) => piece.text).join(", ");
  while (kept.length && stringWidth(text()) > width) {
    const last = kept.reduce((worst, piece) => (piece.rank > worst.rank ? piece : worst));
    kept.splice(kept.indexOf(last), 1);
  }
  return text();
}

const padded = (text: string, width: number) => text + " ".repeat(Math.max(0, width - stringWidth(text)));

/** A share of 1 as cells; "" where the terminal is too narrow for a bar. */
function bar(share: number, columns: number): string {
  const cells = BARS.find((one) => columns >= one.columns)?.cells ?? 0;
  const full = Math.min(cells, Math.floor(share * cells));
  return colors.green("█".repeat(full)) + colors.dim("░".repeat(cells - full));
}

export const amount = (value: number) =>
  value >= 1e4 ? value.toLocaleString("en") : String(Math.round(value * 10) / 10);

/** A time that is still running, in whole seconds: tenths would only flicker. */
const clock = (seconds: number): string =>
  seconds < 10 ? `${Math.floor(seconds)} s` : duration(Math.floor(seconds));

/** The fewest characters of a value that are shown, "…" not counted. */
const VALUE_CHARACTERS = 2;

/**
 * The name of an instance in at most `width` columns: first without the names of the matrix's axes, then with shorter
 * values, the longest first, so that instances can still be told apart.
 */
export function shortName(id: string, width: number): string {
  const [, stage, point] = /^([^[]+)\[(.*)\]$/.exec(id) ?? [];
  if (stringWidth(id) <= width || point === undefined) return truncate(id, width, { position: "middle" });
  const values = point.split(",").map((pair) => pair.replace(/^[^=]*=/, ""));
  const shown = values.map((value) => value);
  const text = () => `${stage}[${shown.join(",")}]`;
  while (stringWidth(text()) > width) {
    const longest = shown.reduce((best, one, at) => (one.length > shown[best].length ? at : best), 0);
    const length = shown[longest].replace(/…$/, "").length - 1;
    if (length < VALUE_CHARACTERS) return truncate(text(), width, { position: "middle" });
    shown[longest] = `${values[longest].slice(0, length)}…`;
  }
  return text();
}

/** One running stage, as it reports itself. Times are in milliseconds of `performance.now()`. */
export class Progress {
  readonly name: string;
  readonly started: number;
  /** The first report: the rate leaves out the time before it, as the start of a backend. */
  private first?: { at: number; done: number };
  private last?: { at: number; done: number; total: number; unit: string; megabytes?: number };

  constructor(name: string, now: number) {
    this.name = name;
    this.started = now;
  }

  report(now: number, done: number, total: number, unit: string, megabytes?: number): void {
    this.first ??= { at: now, done };
    this.last = { at: now, done, total, unit, megabytes };
  }

  /** Done over total, from 0 to 1; undefined where no total is known. */
  get share(): number | undefined {
    return this.last && this.last.total > 0 ? Math.min(1, this.last.done / this.last.total) : undefined;
  }

  /** Units per second, since the first report; undefined while it is unknown. */
  private get rate(): number | undefined {
    if (!this.first || !this.last) return undefined;
    const rate = ((this.last.done - this.first.done) * 1000) / (this.last.at - this.first.at);
    return Number.isFinite(rate) && rate > 0 ? rate : undefined;
  }

  /** The amount, rate, time left and memory, or, before the first report, the time since the start. */
  pieces(now: number): Piece[] {
    const { last, rate } = this;
    if (!last) return [{ text: clock((now - this.started) / 1000), rank: 0 }];
    const { done, total, unit, megabytes } = last;
    const left = rate && total > done ? (total - done) / rate : undefined;
    return [
      { text: `${amount(done)}${total ? ` of ${amount(total)}` : ""} ${unit}`, rank: 1 },
      { text: rate ? `${amount(rate)} ${unit}/s` : "", rank: 2 },
      { text: left === undefined ? "" : `${clock(Math.ceil(left))} left`, rank: 0 },
      { text: megabytes ? `${amount(megabytes)} MB` : "", rank: 3 },
    ];
  }
}

/** All that is known of a stage, for a line of its own in a log. */
export const detailOf = (progress: Progress, now: number): string =>
  fitted(progress.pieces(now), Number.POSITIVE_INFINITY);

/** One line per running stage: bar, percentage, name and details in columns. A long name is shortened, not the time. */
export function stageLines(running: Progress[], now: number, columns: number): string[] {
  const heads = running.map(({ share }) => {
    const cells = bar(share ?? 0, columns);
    const percent = share === undefined ? "    " : `${String(Math.floor(share * 100)).padStart(3)}%`;
    return `${cells}${cells ? " " : ""}${percent} `;
  });
  const room = columns - 1 - "  ".length - stringWidth(heads[0] ?? "") - "  ".length;
  const longest = Math.max(0, ...running.map(({ name }) => stringWidth(name)));
  const least = Math.min(longest, NAME_COLUMNS, Math.max(6, Math.floor(room / 2)));
  const details = running.map((one) => fitted(one.pieces(now), room - least));
  const widest = Math.max(0, ...details.map((detail) => stringWidth(detail)));
  const width = Math.max(1, Math.min(longest, room - widest));
  return running.map(({ name }, index) =>
    `  ${heads[index]}${padded(shortName(name, width), width)}  ${colors.dim(details[index])}`.trimEnd(),
  );
}

/** The state of the whole run. */
export interface RunProgress {
  /** Stages that are up to date, of all. */
  done: number;
  total: number;
  failed: number;
  running: number;
  /** Seconds since the start. */
  elapsed: number;
  /** Seconds to go; `atLeast` where some stages were never timed. */
  left?: { seconds: number; atLeast: boolean };
}

/** The line of the whole run: done of total, elapsed, time left. */
export function runLine(run: RunProgress, columns: number): string {
  const { done, total, failed, running, elapsed, left } = run;
  const count = `${done} of ${total} stages`;
  const cells = bar(total ? done / total : 1, columns);
  const head = `${cells}${cells ? " " : ""}${colors.bold(columns < 40 ? `${done}/${total}` : count)}`;
  const time = left && `${left.atLeast ? "more than" : "about"} ${clock(Math.ceil(left.seconds))} left`;
  const rest = fitted(
    [
      { text: `${clock(elapsed)}${columns < 60 ? "" : " elapsed"}`, rank: 0 },
      { text: time ?? "", rank: 1 },
      { text: failed ? `${failed} failed` : "", rank: 2 },
      { text: `${running} running`, rank: 3 },
    ],
    columns - 1 - stringWidth(head) - "  ".length,
  );
  return `${head}  ${failed ? rest.replace(`${failed} failed`, (text) => colors.red(text)) : rest}`;
}
