/** The output of a run: on a terminal a block that is redrawn in place, elsewhere plain lines. */
import type { Task } from "../plan/index.ts";
import type { EventOf, Listener } from "../run/index.ts";
import { colors, duration, harmless, plain, shortened } from "../text/index.ts";
import { LiveBlock } from "./live.ts";
import { detailOf, Progress, type RunProgress, runLine, stageLines } from "./progress.ts";
import type { TimeLeft } from "./time-left.ts";

/** Seconds between two plain lines about the progress of one stage. */
const LINE_SECONDS = 15;

/** Milliseconds between two drawings of the block: after an event, and without one, for its clocks. */
const FRAME_MILLISECONDS = 125;
const CLOCK_MILLISECONDS = 1000;

/** Characters of a message that are shown: the log holds all of it. */
const MESSAGE_CHARACTERS = 2000;

/** Failures that are repeated at the end; of more, the count. */
const REPEATED = 10;

/** The report of a stage, a file or another machine, in one line. */
const quoted = (text: string): string => shortened(plain(text), MESSAGE_CHARACTERS);

/** The note of a stage that is shown when it ends. */
const RESULT = "result";

/** The functions of the run that the display calls. */
export interface Counts {
  /** Stages that are up to date, of all. */
  settled(): number;
  total: number;
  /** The time to go, where it can be estimated. */
  left?: TimeLeft;
}

/** Shows a run on `out`. */
export class Display implements Listener {
  private readonly out: NodeJS.WriteStream;
  private readonly debug: boolean;
  private readonly counts: Counts;
  private readonly began = performance.now();
  private readonly running = new Map<Task, Progress>();
  /** When a plain line about a stage was last written. */
  private readonly told = new Map<Task, number>();
  private readonly block?: LiveBlock;
  private readonly clock?: NodeJS.Timeout;
  private frame?: NodeJS.Timeout;
  private readonly failures: string[] = [];
  /** Whether other lines were written after a failure. */
  private buried = false;
  private readonly redraw = () => this.draw();
  private readonly resume = () => {
    this.block!.forget();
    this.draw();
  };

  constructor(out: NodeJS.WriteStream, debug: boolean, counts: Counts) {
    this.out = out;
    this.debug = debug;
    this.counts = counts;
    if (!out.isTTY || process.env.TERM === "dumb" || !this.isLive()) return;
    this.block = new LiveBlock(out);
    this.clock = setInterval(this.redraw, CLOCK_MILLISECONDS).unref();
    out.on("resize", this.redraw);
    process.on("SIGCONT", this.resume);
  }

  /** Whether a terminal gets the block. */
  protected isLive(): boolean {
    return true;
  }

  private say(line: string): void {
    const text = `${harmless(line)}\n`;
    if (this.block) this.block.print(text);
    else this.out.write(text);
    this.buried ||= this.failures.length > 0;
  }

  /** Draws the block soon. */
  private changed(): void {
    if (!this.block || this.frame) return;
    this.frame = setTimeout(this.redraw, FRAME_MILLISECONDS).unref();
  }

  private draw(): void {
    clearTimeout(this.frame);
    this.frame = undefined;
    const { columns, rows } = this.block!.size;
    const now = performance.now();
    const all = [...this.running.values()];
    // A line for the rest, one for the run, the line of the cursor, and one of those that stay.
    const most = Math.max(0, rows - 4);
    const shown = all.length > most + 1 ? all.slice(0, most) : all;
    const rest = all.length - shown.length;
    const run: RunProgress = {
      done: this.counts.settled(),
      total: this.counts.total,
      failed: this.failures.length,
      running: all.length,
      elapsed: (now - this.began) / 1000,
      left: this.counts.left?.at(now, (task) => (now - (this.running.get(task)?.started ?? now)) / 1000),
    };
    this.block!.draw([
      ...stageLines(shown, now, columns),
      ...(rest ? [colors.dim(`  … and ${rest} more running`)] : []),
      runLine(run, columns),
    ]);
  }

  begun({ profile, stages, hits }: EventOf<"begun">): void {
    this.say(`Profile ${plain(profile)}: ${hits} of ${stages} stages are up to date.`);
  }

  started({ task, reason }: EventOf<"started">): void {
    const now = performance.now();
    this.running.set(task, new Progress(plain(task.id), now));
    this.told.set(task, now);
    if (!this.block) this.say(`▸ ${plain(task.id)}  ${colors.dim(`(${quoted(reason)})`)}`);
    this.changed();
  }

  progress({ task, done, total, unit, megabytes }: EventOf<"progress">): void {
    const state = this.running.get(task);
    if (!state) return;
    const now = performance.now();
    state.report(now, done, total, quoted(unit), megabytes);
    if (!this.block && now - this.told.get(task)! > LINE_SECONDS * 1000) {
      this.told.set(task, now);
      this.say(`  ${plain(task.id)}: ${detailOf(state, now)}`);
    }
    this.changed();
  }

  /** A plain line about the run as a whole. */
  said({ message }: EventOf<"said">): void {
    this.say(message);
  }

  warned({ task, message }: EventOf<"warned">): void {
    this.say(colors.yellow(task ? `! ${plain(task.id)}: ${quoted(message)}` : `! ${quoted(message)}`));
  }

  /** `[3/7]`, after the stage that a line tells of. */
  private count(): string {
    return `[${this.counts.settled()}/${this.counts.total}]`;
  }

  finished({ task, record }: EventOf<"finished">): void {
    this.counts.left?.learn(record);
    const seconds = (performance.now() - this.end(task)) / 1000;
    const result = record.notes[RESULT];
    const facts = [...(result === undefined ? [] : [quoted(String(result))]), colors.dim(duration(seconds))];
    this.say(`${colors.green("✓")} ${this.count()} ${[plain(task.id), ...facts].join("  ")}`);
  }

  fetched({ task, from }: EventOf<"fetched">): void {
    this.say(`${colors.green("✓")} ${this.count()} ${plain(task.id)}  ${colors.dim(`from ${quoted(from)}`)}`);
    this.changed();
  }

  failed({ task, error, log }: EventOf<"failed">): void {
    this.end(task);
    const { buried } = this;
    const told = `${colors.red("✗")} ${plain(task.id)}: ${quoted(error.message)}`;
    const place = colors.dim(`  log: ${plain(log)}`);
    this.say(told);
    if (this.debug && error.failure.detail) this.say(error.failure.detail);
    this.say(place);
    this.failures.push(`${told}\n${place}`);
    this.buried = buried;
  }

  /** @returns when it began; now for one that failed before it did */
  private end(task: Task): number {
    const { started = performance.now() } = this.running.get(task) ?? {};
    this.running.delete(task);
    this.told.delete(task);
    this.changed();
    return started;
  }

  /** Leaves the terminal as it was, and repeats the failures that other lines have pushed away. */
  close(): void {
    if (this.block) {
      clearInterval(this.clock);
      clearTimeout(this.frame);
      this.out.off("resize", this.redraw);
      process.off("SIGCONT", this.resume);
      this.block.clear();
    }
    if (!this.buried) return;
    const more = this.failures.length - REPEATED;
    for (const failure of this.failures.slice(0, REPEATED)) this.out.write(`${harmless(failure)}\n`);
    if (more > 0) this.out.write(`  and ${more} more failed: see the lines above.\n`);
  }
}

/** Shows warnings and failures only. */
export class Quiet extends Display {
  protected override isLive(): boolean {
    return false;
  }
  override begun(): void {}
  override started(): void {}
  override progress(): void {}
  override finished(): void {}
  override fetched(): void {}
  override said(): void {}
}
