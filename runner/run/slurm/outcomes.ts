/** The outcome of each task of a run on the cluster: in the plan, in the summary, and as events. */
import type { Plan, Task } from "../../plan/index.ts";
import type { StageRecord } from "../../store/index.ts";
import type { Events, StageError, Summary } from "../index.ts";

export class Outcomes {
  readonly summary: Summary = { ran: 0, failed: 0, skipped: 0, cancelled: false, user: false, left: 0 };
  private readonly plan: Plan;
  private readonly events: Events;
  private readonly signal: AbortSignal;
  private readonly keepGoing: boolean;
  private readonly shown = new Set<Task>();
  private readonly warned = new Set<string>();

  constructor(plan: Plan, events: Events, options: { signal: AbortSignal; keepGoing: boolean }) {
    this.plan = plan;
    this.events = events;
    this.signal = options.signal;
    this.keepGoing = options.keepGoing;
  }

  /** Whether nothing more is to be submitted: after a failure without --keep-going, and after Ctrl-C. */
  get stopped(): boolean {
    return this.signal.aborted || (this.summary.failed > 0 && !this.keepGoing);
  }

  isSettled(task: Task): boolean {
    return ["hit", "done", "failed", "skipped"].includes(this.plan.states.get(task.id)!.kind);
  }

  /** Whether a job has reported that the task started. */
  hasStarted(task: Task): boolean {
    return this.shown.has(task);
  }

  /** Takes in the results that jobs and other processes have put into the store. */
  advance(): void {
    this.plan.lookAgain();
    this.plan.advance();
  }

  /** Warns once of each line. */
  warnOnce(line: string): void {
    if (!this.warned.has(line)) this.events.warn(line);
    this.warned.add(line);
  }

  start(task: Task, reason: string): void {
    if (this.shown.has(task)) return;
    this.shown.add(task);
    const state = this.plan.states.get(task.id)!;
    this.events.tell({ kind: "started", task, reason: state.kind === "miss" ? state.reason : reason });
  }

  finish(task: Task, record: StageRecord): void {
    this.start(task, "made by a job");
    this.plan.finish(task, record);
    this.summary.ran++;
    this.events.tell({ kind: "finished", task, record });
  }

  fail(task: Task, error: StageError, log: string): void {
    if (this.isSettled(task)) return;
    this.plan.fail(task, error.message);
    if (this.signal.aborted) return;
    this.start(task, "failed");
    this.summary.failed++;
    this.summary.user ||= error.failure.kind === "user";
    this.events.tell({ kind: "failed", task, error, log });
  }

  /** The summary at the end of the run. @param left how many jobs still run */
  end(left: number): Summary {
    for (const { kind } of this.plan.states.values())
      if (kind === "skipped" || kind === "waits" || kind === "miss") this.summary.skipped++;
    this.summary.cancelled = this.signal.aborted;
    this.summary.left = left;
    return this.summary;
  }
}
