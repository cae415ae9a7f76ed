/** What a run tells to programs: one JSON object a line and event. */

import type { Task } from "../plan/index.ts";
import type { Events, StageError } from "../run/index.ts";
import type { StageRecord } from "../store/index.ts";

/** Between two lines of one stage's progress. */
const PROGRESS_SECONDS = 1;

/** What JSON may hold as it is, and a terminal obeys. */
const escaped = (sign: string): string => `\\u00${sign.charCodeAt(0).toString(16)}`;

/**
 * Writes events as they come: `begun`, `started`, `progress`, `warned`, `fetched` (out of a shared cache), `finished`,
 * `failed`, `said` (of jobs on a cluster) and, in the end, `summary`. Each has `event` and `time` (ISO 8601), those of
 * a stage `stage` (the instance).
 */
export class JsonLines implements Events {
  private readonly write: (line: string) => void;
  private readonly told = new Map<Task, number>();

  constructor(write: (line: string) => void) {
    this.write = write;
  }

  tell(event: string, facts: object): void {
    const json = JSON.stringify({ event, time: new Date().toISOString(), ...facts });
    this.write(`${json.replace(/[\u007f-\u009f]/g, escaped)}\n`);
  }

  started(task: Task, reason: string): void {
    this.tell("started", { stage: task.id, reason });
  }

  progress(task: Task, done: number, total: number, unit: string, megabytes?: number): void {
    const now = performance.now();
    if (now - (this.told.get(task) ?? Number.NEGATIVE_INFINITY) < PROGRESS_SECONDS * 1000) return;
    this.told.set(task, now);
    this.tell("progress", { stage: task.id, done, total, unit, megabytes });
  }

  warned(task: Task | undefined, message: string): void {
    this.tell("warned", { stage: task?.id, message });
  }

  /** How jobs elsewhere stand. */
  said(message: string): void {
    this.tell("said", { message });
  }

  finished(task: Task, { key, seconds, peakMegabytes, notes }: StageRecord): void {
    this.tell("finished", { stage: task.id, seconds, megabytes: peakMegabytes, key, notes });
  }

  /** A result that came out of a shared cache. */
  fetched(task: Task, from: string): void {
    this.tell("fetched", { stage: task.id, from });
  }

  failed(task: Task, { failure: { kind, message } }: StageError, log: string): void {
    this.tell("failed", { stage: task.id, kind, message, user: kind === "user", log });
  }

  close(): void {}
}
