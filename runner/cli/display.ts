/** What a run shows: moving bars on a terminal, plain lines elsewhere. */

import { MultiBar, type SingleBar } from "cli-progress";
import type { Task } from "../plan/index.ts";
import type { Events, StageError } from "../run/index.ts";
import { colors, duration, harmless, plain, shortened } from "../text/index.ts";

/** Between two plain lines of one stage's progress. */
const LINE_SECONDS = 15;

/** Characters of a line of others' that are shown: the log holds all of it. */
const LONGEST = 2000;

/** What a stage, a file or another machine says, in one line. */
const quoted = (text: string): string => shortened(plain(text), LONGEST);

const amount = (value: number) =>
  value >= 1e4 ? value.toLocaleString("en") : String(Math.round(value * 10) / 10);

interface Running {
  started: number;
  line: number;
  /** The first report: the rate leaves out what came before it, as the start of a backend. */
  first?: { at: number; done: number };
  bar?: SingleBar;
}

/** Shows a run on `out`. @param total how many stages there are, @param known how many are up to date */
export class Display implements Events {
  private readonly out: NodeJS.WriteStream;
  private readonly debug: boolean;
  private readonly running = new Map<Task, Running>();
  private readonly bars?: MultiBar;
  private readonly count: () => string;

  constructor(out: NodeJS.WriteStream, debug: boolean, count: () => string) {
    this.out = out;
    this.debug = debug;
    this.count = count;
    if (out.isTTY)
      this.bars = new MultiBar({
        stream: out,
        format: `  {bar} {percentage}% {name} {detail}`,
        barsize: 20,
        hideCursor: true,
        clearOnComplete: true,
        barCompleteChar: "█",
        barIncompleteChar: "░",
        fps: 8,
      });
  }

  private say(line: string): void {
    const text = `${harmless(line)}\n`;
    if (this.bars && this.running.size) this.bars.log(text);
    else this.out.write(text);
  }

  started(task: Task, reason: string): void {
    const bar = this.bars?.create(1, 0, { name: plain(task.id), detail: "" });
    this.running.set(task, { started: performance.now(), line: performance.now(), bar });
    if (!this.bars) this.say(`▸ ${plain(task.id)}  ${colors.dim(`(${quoted(reason)})`)}`);
  }

  progress(task: Task, done: number, total: number, unit: string, megabytes?: number): void {
    const state = this.running.get(task);
    if (!state) return;
    const now = performance.now();
    state.first ??= { at: now, done };
    const what = quoted(unit);
    const rate = ((done - state.first.done) * 1000) / (now - state.first.at);
    const known = Number.isFinite(rate) && rate > 0;
    const left = known && total > done ? `, ${duration((total - done) / rate)} left` : "";
    const detail = `${amount(done)}${total ? ` of ${amount(total)}` : ""} ${what}${known ? `, ${amount(rate)} ${what}/s` : ""}${left}${megabytes ? `, ${amount(megabytes)} MB` : ""}`;
    if (state.bar) {
      state.bar.setTotal(total || done + 1);
      state.bar.update(done, { name: plain(task.id), detail });
    } else if (now - state.line > LINE_SECONDS * 1000) {
      state.line = now;
      this.say(`  ${plain(task.id)}: ${detail}`);
    }
  }

  /** A plain line about the run as a whole. */
  said(line: string): void {
    this.say(line);
  }

  warned(task: Task | undefined, line: string): void {
    this.say(colors.yellow(task ? `! ${plain(task.id)}: ${quoted(line)}` : `! ${quoted(line)}`));
  }

  finished(task: Task): void {
    const seconds = (performance.now() - this.end(task)) / 1000;
    this.say(`${colors.green("✓")} ${this.count()} ${plain(task.id)}  ${colors.dim(duration(seconds))}`);
  }

  fetched(task: Task, from: string): void {
    this.say(`${colors.green("✓")} ${this.count()} ${plain(task.id)}  ${colors.dim(`from ${quoted(from)}`)}`);
  }

  failed(task: Task, error: StageError, log: string): void {
    this.end(task);
    this.tellFailure(task, error, log);
  }

  protected tellFailure(task: Task, error: StageError, log: string): void {
    this.say(`${colors.red("✗")} ${plain(task.id)}: ${quoted(error.message)}`);
    if (this.debug && error.failure.detail) this.say(error.failure.detail);
    this.say(colors.dim(`  its log: ${plain(log)}`));
  }

  /** @returns when it began; now for one that failed before it did */
  private end(task: Task): number {
    const state = this.running.get(task);
    if (state?.bar) this.bars!.remove(state.bar);
    this.running.delete(task);
    return state?.started ?? performance.now();
  }

  /** Leaves the terminal as it was. */
  close(): void {
    this.bars?.stop();
  }
}

/** Says what went wrong, and nothing else. */
export class Quiet extends Display {
  override started(): void {}
  override progress(): void {}
  override finished(): void {}
  override fetched(): void {}
  override said(): void {}
  override failed(task: Task, error: StageError, log: string): void {
    this.tellFailure(task, error, log);
  }
}
