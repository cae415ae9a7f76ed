/** Reads the journals of the jobs, and takes their lines into the plan. */
import type { Task } from "../../plan/index.ts";
import { stageErrorOf } from "../index.ts";
import type { Element } from "./jobs.ts";
import type { Line } from "./journal.ts";
import type { Parts } from "./submit.ts";

/** A shared file system may show a result this much later than the line of the journal on it. */
const LATE_SECONDS = 60;

/** A line on a result that this machine cannot see yet. */
interface Late {
  element: Element;
  line: Line;
  until: number;
}

export class Journals {
  private readonly parts: Parts;
  private late: Late[] = [];

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Reads the new lines of all journals. @returns the elements that have ended */
  read(): Element[] {
    const { jobs, outcomes } = this.parts;
    const late = this.late;
    this.late = [];
    for (const { element, line, until } of late) this.take(element, line, until);
    for (const batch of jobs.batches) {
      const open = (index: number) => jobs.live.has(batch.elements.get(index)!);
      for (const [index, lines] of batch.follower.news(open))
        for (const line of lines) this.take(batch.elements.get(index)!, line);
    }
    jobs.forgetEnded();
    const ended = [...jobs.live].filter((element) => element.ended);
    if (ended.length === 0) return [];
    const waiting = new Set(this.late.map(({ element }) => element));
    outcomes.advance();
    return ended.filter((element) => !waiting.has(element));
  }

  /** Takes one line of a job's journal. @param until when a result that is not visible counts as missing */
  private take(element: Element, line: Line, until = performance.now() + LATE_SECONDS * 1000): void {
    const { events, jobs, outcomes, taskOf } = this.parts;
    const task = "recipe" in line && line.recipe !== undefined ? taskOf.get(line.recipe) : undefined;
    switch (line.kind) {
      case "begin":
        if (element.begun)
          events.warn(`${jobs.nameOf(element)} begins again, on ${line.host}: Slurm has requeued it.`);
        element.begun = true;
        element.ended = false;
        break;
      case "started":
        if (task) outcomes.start(task, line.reason);
        break;
      case "progress":
        if (task) {
          const { done, total, unit } = line;
          events.tell({ kind: "progress", task, done, total, unit });
        }
        break;
      case "warned":
        events.warn(line.line, task);
        break;
      case "found":
      case "finished":
        if (task && !this.takeResult(task, line)) this.wait({ element, line, until });
        break;
      case "failed":
        jobs.markFailed(element);
        if (task) outcomes.fail(task, stageErrorOf(line.failure), line.log);
        break;
      case "absent":
        jobs.markFailed(element);
        if (task) this.takeMissing(element, task);
        break;
      case "end":
        element.ended = true;
        break;
    }
  }

  private wait(late: Late): void {
    if (performance.now() < late.until) this.late.push(late);
  }

  /** Takes the result of a task from the store. @returns whether it is there */
  private takeResult(task: Task, { kind, key }: Extract<Line, { kind: "found" | "finished" }>): boolean {
    const { plan, outcomes } = this.parts;
    if (plan.states.get(task.id)!.kind === "done") return true;
    const record = plan.known(task, key);
    if (record && kind === "found") plan.finish(task, record);
    else if (record) outcomes.finish(task, record);
    return record !== undefined;
  }

  /** Takes the line of a job that did not find the result of a task that it depends on. */
  private takeMissing(element: Element, task: Task): void {
    const { plan, store, events, jobs, taskOf } = this.parts;
    events.warn(
      `${jobs.nameOf(element)}: the result of ${task.id}, which it depends on, is not in the store. The missing stages are submitted again.`,
    );
    this.late = this.late.filter(({ line }) => !("recipe" in line) || taskOf.get(line.recipe!) !== task);
    const state = plan.states.get(task.id)!;
    if ((state.kind === "hit" || state.kind === "done") && !store.record(state.key))
      plan.redo(task.id, `the record of ${task.id} is gone`);
  }
}
