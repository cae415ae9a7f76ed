/** The output of a run for programs: one JSON object per line and event. */

import type { Task } from "../plan/index.ts";
import type { EventOf, Listener } from "../run/index.ts";

/** Seconds between two lines of progress of one stage. */
const PROGRESS_SECONDS = 1;

/** A control character as an escape: JSON allows it, but a terminal would obey it. */
const escaped = (sign: string): string => `\\u00${sign.charCodeAt(0).toString(16)}`;

/**
 * Writes events as they come: `begun`, `started`, `progress`, `warned`, `fetched` (out of a shared cache), `finished`,
 * `failed`, `said` (of jobs on a cluster) and, in the end, `summary`. Each has `event` and `time` (ISO 8601), those of
 * a stage `stage` (the instance).
 */
export class JsonLines implements Listener {
  private readonly write: (line: string) => void;
  private readonly told = new Map<Task, number>();

  constructor(write: (line: string) => void) {
    this.write = write;
  }

  tell(event: string, facts: object): void {
    const json = JSON.stringify({ event, time: new Date().toISOString(), ...facts });
    this.write(`${json.replace(/[\u007f-\u009f]/g, escaped)}\n`);
  }

  begun({ profile, stages, hits }: EventOf<"begun">): void {
    this.tell("begun", { profile, stages, hits });
  }

  started({ task, reason }: EventOf<"started">): void {
    this.tell("started", { stage: task.id, reason });
  }

  progress({ task, done, total, unit, megabytes }: EventOf<"progress">): void {
    const now = performance.now();
    if (now - (this.told.get(task) ?? Number.NEGATIVE_INFINITY) < PROGRESS_SECONDS * 1000) return;
    this.told.set(task, now);
    this.tell("progress", { stage: task.id, done, total, unit, megabytes });
  }

  warned({ task, message }: EventOf<"warned">): void {
    this.tell("warned", { stage: task?.id, message });
  }

  /** The state of the jobs on a cluster. */
  said({ message }: EventOf<"said">): void {
    this.tell("said", { message });
  }

  finished({ task, record }: EventOf<"finished">): void {
    const { key, seconds, peakMegabytes, notes } = record;
    this.tell("finished", { stage: task.id, seconds, megabytes: peakMegabytes, key, notes });
  }

  /** A result that came out of a shared cache. */
  fetched({ task, from }: EventOf<"fetched">): void {
    this.tell("fetched", { stage: task.id, from });
  }

  failed({ task, error, log }: EventOf<"failed">): void {
    const { kind, message } = error.failure;
    this.tell("failed", { stage: task.id, kind, message, user: kind === "user", log });
  }

  close(): void {}
}
