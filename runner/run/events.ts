/** Every event of a run, and the object that passes them on: to a display, to programs, to the journal of a job. */
import type { PlanEvent, Task } from "../plan/index.ts";
import type { StageRecord } from "../store/index.ts";
import type { StageError } from "./failure.ts";

export type RunEvent =
  | PlanEvent
  /** The run starts: `hits` of its `stages` are up to date. */
  | { kind: "begun"; profile: string; stages: number; hits: number }
  | { kind: "started"; task: Task; reason: string }
  /** `done` of `total` (0 where it is unknown) units. @see StageContext.progress */
  | { kind: "progress"; task: Task; done: number; total: number; unit: string; megabytes?: number }
  /** A warning, of one stage or of the run as a whole. */
  | { kind: "warned"; task?: Task; message: string }
  /** The state of the jobs on a cluster, in one line. */
  | { kind: "said"; message: string }
  | { kind: "finished"; task: Task; record: StageRecord }
  /** The result came out of a shared cache, named `from`. */
  | { kind: "fetched"; task: Task; from: string }
  /** @param log the path of the stage's log */
  | { kind: "failed"; task: Task; error: StageError; log: string };

/** The event of one kind. */
export type EventOf<Kind extends RunEvent["kind"]> = Extract<RunEvent, { kind: Kind }>;

/**
 * A listener has one method for each kind of event that it handles, named like the kind. One without a method for an
 * event of the store or the plan gets it as a warning.
 */
export type Listener = { [Kind in RunEvent["kind"]]?: (event: EventOf<Kind>) => void };

function pass(event: RunEvent, listener: Listener): void {
  const handle = listener[event.kind] as ((event: RunEvent) => void) | undefined;
  if (handle) handle.call(listener, event);
  else if (event.kind === "quarantined" || event.kind === "lost")
    listener.warned?.({ kind: "warned", message: warningOf(event) });
}

/** Passes each event of a run to every listener, in the order in which they were added. */
export class Events {
  private readonly listeners = new Set<Listener>();

  /** @returns removes the listener again */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Bound, so that it can be passed on as a function. */
  readonly tell = (event: RunEvent): void => {
    for (const listener of this.listeners) pass(event, listener);
  };

  /** Tells a {@link EventOf | warned} event. */
  warn(message: string, task?: Task): void {
    this.tell({ kind: "warned", task, message });
  }
}

/** An event of the store or the plan in one line. */
export function warningOf(event: PlanEvent): string {
  switch (event.kind) {
    case "quarantined":
      return `cache: record ${event.key.slice(0, 8)}… ${event.fault}. Quarantined; its stage runs again.`;
    case "lost":
      return `cache: ${event.reason}; ${event.id} runs again.`;
  }
}
