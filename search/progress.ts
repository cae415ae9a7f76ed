/** How far a long piece of work is: one line that changes on a terminal, a line now and then elsewhere. */
import { duration } from "../runner/text/index.ts";

/** Milliseconds between two lines where there is no terminal, and between two changes of the line on one. */
const EVERY = { lines: 10_000, terminal: 200 };
/** Milliseconds before which a rate says nothing. */
const SETTLED = 1000;

/** Where the lines go. */
export interface Screen {
  isTTY?: boolean;
  write(text: string): unknown;
}

export class Progress {
  private readonly total: number;
  private readonly what: string;
  private readonly screen: Screen;
  private readonly clock: () => number;
  private readonly began: number;
  private told: number;
  private done = 0;

  /** @param what the counted things, as "images"; @param clock milliseconds */
  constructor(total: number, what: string, screen: Screen = process.stderr, clock = () => performance.now()) {
    this.total = total;
    this.what = what;
    this.screen = screen;
    this.clock = clock;
    this.began = clock();
    this.told = this.began;
  }

  advance(count: number): void {
    this.done += count;
    const now = this.clock();
    const { isTTY } = this.screen;
    if (now - this.told < (isTTY ? EVERY.terminal : EVERY.lines)) return;
    this.told = now;
    this.screen.write(isTTY ? `\r\u001b[K${this.line(now)}` : `${this.line(now)}\n`);
  }

  /** Leaves the terminal's line empty for the next message. */
  end(): void {
    if (this.screen.isTTY) this.screen.write("\r\u001b[K");
  }

  private line(now: number): string {
    const spent = now - this.began;
    const said = `${this.done} of ${this.total} ${this.what}`;
    if (spent < SETTLED || this.done === 0) return said;
    const rate = (1000 * this.done) / spent;
    const left = (this.total - this.done) / rate;
    return `${said}, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second, ${duration(left)} left`;
  }
}
