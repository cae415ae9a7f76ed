/** Concludes on the jobs that ended, or that the scheduler no longer lists. */
import { readFileSync } from "node:fs";
import { counted } from "../../text/index.ts";
import { StageError } from "../index.ts";
import type { QueueRow } from "./commands.ts";
import type { Element } from "./jobs.ts";
import { ALIVE, endOf, LOST, USUAL } from "./states.ts";
import type { Parts } from "./submit.ts";

/** How many polls in a row must not list a job as alive, before it counts as gone. */
const POLLS_BEFORE_GONE = 3;

/** The longest wait between two of these polls. */
const SOON_MILLISECONDS = 2000;

/** The shortest time between two lines on how many jobs run and wait. */
const REPORT_SECONDS = 30;

/** How many times a task may be submitted whose job is lost each time. */
const MOST_SUBMISSIONS = 3;

export class Endings {
  /** Whether tasks are to be submitted again. */
  again = false;
  private readonly parts: Parts;
  private reported = "";
  private reportedAt = performance.now();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Stops following a job that has ended. Its open tasks are submitted again, unless they were too often. */
  close(element: Element): void {
    const { jobs, outcomes, recipes } = this.parts;
    jobs.live.delete(element);
    const open = jobs.tasksOf(element).filter((task) => !outcomes.isSettled(task));
    const message = `was submitted ${MOST_SUBMISSIONS} times, and its job never came to an end. See the job's log.`;
    for (const task of open)
      if ((jobs.submissions.get(recipes.get(task.id)!) ?? 0) >= MOST_SUBMISSIONS)
        outcomes.fail(task, new StageError(message), jobs.logOf(element));
    if (open.some((task) => !outcomes.isSettled(task))) this.again = true;
  }

  /**
   * Compares the queue with the jobs that are followed.
   * @returns the milliseconds until the next poll, if one must come soon
   */
  async compare(rows: QueueRow[]): Promise<number | undefined> {
    const { slurm, jobs, outcomes, options } = this.parts;
    const byId = new Map(rows.map((row) => [`${row.job}_${row.index}`, row]));
    const never: string[] = [];
    let [runs, waits] = [0, 0];
    let soon: number | undefined;
    for (const element of jobs.live) {
      const id = jobs.idOf(element);
      const row = byId.get(id);
      element.state = row?.state ?? "";
      if (!ALIVE.test(element.state)) {
        soon = SOON_MILLISECONDS;
        if (++element.gone >= POLLS_BEFORE_GONE) this.conclude(element, row?.reason ?? "");
        continue;
      }
      element.gone = 0;
      if (element.state !== "PENDING") runs++;
      else if (row!.reason === "DependencyNeverSatisfied") never.push(id);
      else {
        waits++;
        if (!USUAL.test(row!.reason))
          outcomes.warnOnce(`Some jobs wait (${row!.reason}), as ${jobs.nameOf(element)}.`);
      }
    }
    await slurm.cancel(never, { pending: true }, options.signal);
    this.report(runs, waits);
    return soon;
  }

  private report(runs: number, waits: number): void {
    const line = `Slurm: ${counted(runs, "job")} running, ${waits} waiting.`;
    if (!waits || performance.now() - this.reportedAt <= REPORT_SECONDS * 1000 || line === this.reported)
      return;
    [this.reported, this.reportedAt] = [line, performance.now()];
    this.parts.events.tell({ kind: "said", message: line });
  }

  /** Concludes on a job that is gone and whose journal has no last line. */
  private conclude(element: Element, reason: string): void {
    const { events, jobs, outcomes } = this.parts;
    outcomes.advance(); // the store may hold results of it
    const open = jobs.tasksOf(element).filter((task) => !outcomes.isSettled(task));
    const { state } = element;
    const followsFailure =
      state === "CANCELLED" && !element.begun && (outcomes.stopped || jobs.failedWith(element));
    if (!followsFailure && state !== "COMPLETED" && open.length) {
      if (LOST.test(state)) {
        const words = `${state}${reason && reason !== "None" ? `, ${reason}` : ""}`;
        const why = state ? words : "Slurm no longer lists it";
        events.warn(`${jobs.nameOf(element)} was lost (${why}). The missing stages are submitted again.`);
      } else {
        const task = open.find((one) => outcomes.hasStarted(one)) ?? open[0];
        const log = jobs.logOf(element);
        const message = `its job ${jobs.idOf(element)} ${endOf(state, reason)}${element.begun ? "" : lastLine(log)}`;
        outcomes.fail(task, new StageError(message), log);
      }
    }
    if (open.length) jobs.markFailed(element);
    this.close(element);
  }
}

/** The last line of a log, as a sentence; "" without one. */
function lastLine(log: string): string {
  try {
    const line = readFileSync(log, "utf8").trim().split("\n").at(-1);
    return line ? ` The last line of its log: ${line}` : "";
  } catch {
    return "";
  }
}
