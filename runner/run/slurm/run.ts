/**
 * Runs a plan as jobs of a Slurm cluster: submits the missing tasks at once (submit.ts), follows their journals
 * (follow.ts), and concludes on jobs that are gone (conclude.ts). The store and a job's journal tell the state of a
 * task; the scheduler only tells whether a job is still alive.
 */
import { resolve as absolute } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { namesPassedOn } from "../../code/index.ts";
import type { Plan, Task } from "../../plan/index.ts";
import type { Store } from "../../store/index.ts";
import { POLL_SECONDS } from "../../study/index.ts";
import { counted } from "../../text/index.ts";
import type { Events, Summary } from "../index.ts";
import { Slurm } from "./commands.ts";
import { Endings } from "./conclude.ts";
import { Journals } from "./follow.ts";
import { arraysOf, Jobs } from "./jobs.ts";
import type { SlurmOptions } from "./options.ts";
import { Outcomes } from "./outcomes.ts";
import { recipesOf } from "./recipe.ts";
import { ALIVE } from "./states.ts";
import { type Parts, Submitter } from "./submit.ts";

/** The longest wait between two reads of the journals. */
const TICK_MILLISECONDS = 500;

/** How long cancelled jobs may take to end before the run stops waiting for them. */
const CANCEL_SECONDS = 60;

function partsOf(plan: Plan, store: Store, options: SlurmOptions, events: Events): Parts {
  const passed = plan.tasks.flatMap(({ env }) => namesPassedOn(env));
  const recipes = recipesOf(plan.tasks, (file) => store.hashInput(absolute(options.root, file)));
  const taskOf = new Map<string, Task>();
  for (const task of plan.tasks) {
    const recipe = recipes.get(task.id)!;
    if (!taskOf.has(recipe)) taskOf.set(recipe, task);
  }
  return {
    plan,
    store,
    options,
    events,
    slurm: new Slurm((line) => events.warn(line), new Set(passed)),
    jobs: new Jobs(store, taskOf),
    outcomes: new Outcomes(plan, events, options),
    recipes,
    taskOf,
  };
}

class SlurmRun {
  private readonly parts: Parts;
  private readonly submitter: Submitter;
  private readonly journals: Journals;
  private readonly endings: Endings;
  /** Milliseconds between two polls of the queue, and between two reads of the journals. */
  private readonly poll: number;
  private readonly tick: number;

  constructor(parts: Parts) {
    this.parts = parts;
    this.submitter = new Submitter(parts);
    this.journals = new Journals(parts);
    this.endings = new Endings(parts);
    this.poll = (parts.options.settings.poll ?? POLL_SECONDS) * 1000;
    this.tick = Math.min(this.poll / 2, TICK_MILLISECONDS);
  }

  async run(): Promise<Summary> {
    const { plan, jobs, events, outcomes, options } = this.parts;
    const { signal, detach } = options;
    try {
      do {
        this.endings.again = false;
        if (!outcomes.stopped) await this.submitter.submit();
        if (detach) break;
        await this.watch();
        outcomes.advance();
      } while (!outcomes.stopped && plan.tasks.some((task) => !outcomes.isSettled(task)));
    } catch (error) {
      if (!signal.aborted) {
        if (jobs.live.size)
          events.warn(`${counted(jobs.live.size, "job")} submitted before go on; the next run follows them.`);
        throw error;
      }
    }
    if (signal.aborted && !detach) await this.cancel();
    outcomes.advance();
    return outcomes.end(jobs.live.size);
  }

  /** Follows the jobs until none is left, or tasks are to be submitted again. */
  private async watch(): Promise<void> {
    const { slurm, jobs, outcomes, options } = this.parts;
    const { signal, keepGoing } = options;
    let nextPoll = 0;
    const retry = this.submitter.full ? performance.now() + this.poll : Number.POSITIVE_INFINITY;
    this.submitter.full = false;
    while ((jobs.live.size || retry < Number.POSITIVE_INFINITY) && !signal.aborted) {
      this.readJournals();
      if (performance.now() >= nextPoll) {
        nextPoll = performance.now() + this.poll;
        const rows = await slurm.queue();
        const soon = rows && (await this.endings.compare(rows));
        if (soon !== undefined) nextPoll = Math.min(nextPoll, performance.now() + Math.min(this.poll, soon));
      }
      if (outcomes.summary.failed && !keepGoing) await this.stop();
      if (performance.now() >= retry) this.endings.again = true;
      if (outcomes.stopped ? jobs.live.size === 0 : this.endings.again) return;
      await sleep(this.tick);
    }
  }

  private readJournals(): void {
    for (const element of this.journals.read()) this.endings.close(element);
  }

  /** After a failure no job begins any more; those that run may end. */
  private async stop(): Promise<void> {
    const { slurm, jobs, options } = this.parts;
    const waiting = [...jobs.live].filter(({ begun }) => !begun);
    const own = arraysOf(waiting.filter(({ batch }) => batch.own));
    await slurm.cancel(own, { pending: true }, options.signal);
    for (const element of waiting) if (!element.begun) jobs.live.delete(element);
  }

  /** Cancels the jobs that this process submitted. */
  private async cancel(): Promise<void> {
    const { slurm, jobs, events } = this.parts;
    const { own } = jobs;
    const ids = new Set([...arraysOf(own), ...(await this.submitter.unconfirmed())]);
    await slurm.cancel([...ids], { pending: false });
    const deadline = performance.now() + CANCEL_SECONDS * 1000;
    while (performance.now() < deadline) {
      const rows = (await slurm.queue()) ?? [];
      const alive = new Set(
        rows.filter(({ state }) => ALIVE.test(state)).map(({ job, index }) => `${job}_${index}`),
      );
      for (const one of own) if (!alive.has(jobs.idOf(one))) jobs.live.delete(one);
      this.readJournals();
      if (!own.some((one) => jobs.live.has(one))) break;
      await sleep(this.tick);
    }
    const left = arraysOf(jobs.live);
    if (left.length)
      events.warn(`jobs that another run submitted go on. To end them: scancel ${left.join(" ")}`);
  }
}

/** Runs every task of the plan that is not known, on the cluster. A failed stage does not throw: see the summary. */
export function runOnSlurm(
  plan: Plan,
  store: Store,
  options: SlurmOptions,
  events: Events,
): Promise<Summary> {
  return new SlurmRun(partsOf(plan, store, options, events)).run();
}
