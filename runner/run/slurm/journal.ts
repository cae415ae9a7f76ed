/** The events of a job: one JSON line each in a file beside its manifest, which the run follows. */
import { appendFileSync, closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "../../plan/index.ts";
import type { EventOf, Failure, Listener } from "../index.ts";

/** One line of a journal. `recipe` says which task. */
export type Line =
  | { kind: "begin"; host: string; restarts: number }
  | { kind: "started"; recipe: string; reason: string }
  | { kind: "progress"; recipe: string; done: number; total: number; unit: string }
  | { kind: "warned"; recipe?: string; line: string }
  | { kind: "finished"; recipe: string; key: string }
  /** It is in the store already. */
  | { kind: "found"; recipe: string; key: string }
  | { kind: "failed"; recipe: string; failure: Failure; log: string }
  /** Something it builds upon is not in the store. */
  | { kind: "absent"; recipe: string }
  /** Its last word. Not written when it was cancelled: it may have been sent to another machine. */
  | { kind: "end" };

/** Between two words of one task's progress. */
const PROGRESS_MILLISECONDS = 1000;

const fileOf = (job: string, index: number) => `${job}_${index}.journal`;

/** Writes a job's journal. */
export class Journal implements Listener {
  private readonly path: string;
  private readonly recipes: Map<string, string>;
  private readonly lastProgress = new Map<string, number>();

  constructor(folder: string, job: string, index: number, recipes: Map<string, string>) {
    this.path = join(folder, fileOf(job, index));
    this.recipes = recipes;
  }

  write(line: Line): void {
    // A machine that died may have left half a line: the first of the next attempt begins a new one.
    appendFileSync(this.path, `${line.kind === "begin" ? "\n" : ""}${JSON.stringify(line)}\n`);
  }
  private recipe(task: Task): string {
    return this.recipes.get(task.id)!;
  }

  started({ task, reason }: EventOf<"started">): void {
    this.write({ kind: "started", recipe: this.recipe(task), reason });
  }
  progress({ task, done, total, unit }: EventOf<"progress">): void {
    const now = performance.now();
    if (done !== total && now - (this.lastProgress.get(task.id) ?? -Infinity) < PROGRESS_MILLISECONDS) return;
    this.lastProgress.set(task.id, now);
    this.write({ kind: "progress", recipe: this.recipe(task), done, total, unit });
  }
  warned({ task, message }: EventOf<"warned">): void {
    this.write({ kind: "warned", recipe: task && this.recipe(task), line: message });
  }
  finished({ task, record }: EventOf<"finished">): void {
    this.write({ kind: "finished", recipe: this.recipe(task), key: record.key });
  }
  failed({ task, error, log }: EventOf<"failed">): void {
    this.write({ kind: "failed", recipe: this.recipe(task), failure: error.failure, log });
  }
}

/** Follows the journals of one array. */
export class Follower {
  private readonly folder: string;
  private readonly job: string;
  private readonly read = new Map<number, number>();

  constructor(folder: string, job: string) {
    this.folder = folder;
    this.job = job;
  }

  /** The lines since the last call, by the element's index. @param wanted which elements matter still */
  news(wanted: (index: number) => boolean): [index: number, lines: Line[]][] {
    const [prefix, suffix] = [`${this.job}_`, ".journal"];
    return readdirSync(this.folder)
      .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
      .map((name) => Number(name.slice(prefix.length, -suffix.length)))
      .filter(wanted)
      .map((index): [number, Line[]] => [index, this.newsOf(index)]);
  }

  private newsOf(index: number): Line[] {
    const from = this.read.get(index) ?? 0;
    const file = openSync(join(this.folder, fileOf(this.job, index)), "r");
    let text: Buffer;
    try {
      const { size } = fstatSync(file);
      if (size <= from) return [];
      text = Buffer.alloc(size - from);
      text = text.subarray(0, readSync(file, text, 0, text.length, from));
    } finally {
      closeSync(file);
    }
    const whole = text.subarray(0, text.lastIndexOf("\n") + 1);
    this.read.set(index, from + whole.length);
    return whole
      .toString()
      .split("\n")
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as Line];
        } catch {
          return []; // empty, or cut off when a machine died
        }
      });
  }
}
