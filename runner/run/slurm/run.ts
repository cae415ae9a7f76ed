/**
 * Runs a plan as jobs of a Slurm cluster: submits what is missing at once, with its dependencies, and follows it. What
 * is true of a task is said by the store and the job's journal; the scheduler says whether a job can still come to it.
 */
import { readFileSync } from "node:fs";
import { resolve as absolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { namesPassedOn } from "../../code/index.ts";
import type { Plan, Task } from "../../plan/index.ts";
import type { StageRecord, Store } from "../../store/index.ts";
import { GROUP_SECONDS, POLL_SECONDS, type SlurmSettings } from "../../study/index.ts";
import { counted } from "../../text/index.ts";
import { type Events, StageError, type Summary, stageErrorOf } from "../index.ts";
import { type QueueRow, Slurm } from "./commands.ts";
import { estimates } from "./estimate.ts";
import { arrays, dependency, group, type JobArray, ranges, type Submitted } from "./group.ts";
import { Follower, type Line } from "./journal.ts";
import { folderOfArray, readManifest, sweep, writeManifest, writePlan } from "./manifest.ts";
import { recipesOf } from "./recipe.ts";
import { limitOf, partitionOf, requestsOf, sbatchOptions, scriptOf } from "./request.ts";
import { ALIVE, endOf, LOST, USUAL } from "./states.ts";

export interface SlurmOptions {
  root: string;
  profile: string;
  /** Cores that one job may claim at most; undefined: as many as a node has. */
  cores?: number;
  keepGoing: boolean;
  /** Whether to leave the jobs to themselves once they are submitted. */
  detach: boolean;
  /** The folder that stages search for a download first; absolute. */
  mirror?: string;
  settings: SlurmSettings;
  signal: AbortSignal;
}

/** One array of jobs on the cluster. */
interface Batch {
  job: string;
  name: string;
  folder: string;
  /** Whether this process submitted it. */
  own: boolean;
  /** What it waits for, as sbatch was told. */
  waitsFor: string;
  follower: Follower;
  elements: Map<number, Element>;
}

/** One job: an element of an array. */
interface Element {
  batch: Batch;
  index: number;
  recipes: string[];
  /** As the scheduler said last; "" before it said anything. */
  state: string;
  begun: boolean;
  ended: boolean;
  /** How often the scheduler was asked since it knew the job last as one that can still do something. */
  gone: number;
}

/** So often a job that the scheduler no longer knows is looked for, before what its journal does not say is believed. */
const LOOKS = 3;

/** Between two of those looks, at most. */
const SOON_MILLISECONDS = 2000;

/** Between two lines on how the jobs stand. */
const TELL_SECONDS = 30;

/** A shared file system may show a result so much later than the journal that tells of it. */
const LATE_SECONDS = 60;

/** Between two looks at the journals, at most. */
const TICK_MILLISECONDS = 500;

/** How often a task may be submitted that is lost each time. */
const TRIES = 3;

/** How long cancelled jobs may take to end before they are left to the scheduler. */
const CANCEL_SECONDS = 60;

/** The process of a job, beside this one's bundle. */
const JOB = fileURLToPath(new URL("./job.mjs", import.meta.url));

class SlurmRun {
  private readonly plan: Plan;
  private readonly store: Store;
  private readonly options: SlurmOptions;
  private readonly events: Events;
  private readonly slurm: Slurm;
  private readonly summary: Summary = {
    ran: 0,
    failed: 0,
    skipped: 0,
    cancelled: false,
    user: false,
    left: 0,
  };
  private readonly recipes: Map<string, string>;
  /** Of tasks with one recipe, the first: it stands for all of them. */
  private readonly taskOf = new Map<string, Task>();
  private readonly live = new Set<Element>();
  private batches: Batch[] = [];
  private readonly shown = new Set<Task>();
  private readonly tries = new Map<string, number>();
  /** Ids of jobs, and of elements, in which something failed. */
  private readonly bad = new Set<string>();
  private readonly said = new Set<string>();
  /** Words of journals on results that this machine cannot see yet. */
  private late: { element: Element; line: Line; until: number }[] = [];
  /** Whether something is to be submitted again. */
  private again = false;
  private nextLook = 0;
  private told = "";
  private toldAt = performance.now();
  /** Whether the cluster took no more jobs. */
  private full = false;
  /** The submission of which it is not known whether it came about. */
  private underWay?: { name: string; known: Set<string> };
  private readonly followed = new Set<string>();
  private readonly coresOf = new Map<string | undefined, number>();

  constructor(plan: Plan, store: Store, options: SlurmOptions, events: Events) {
    this.plan = plan;
    this.store = store;
    this.options = options;
    this.events = events;
    const passed = plan.tasks.flatMap(({ env }) => namesPassedOn(env));
    this.slurm = new Slurm((line) => events.warn(line), new Set(passed));
    this.recipes = recipesOf(plan.tasks, (file) => store.hashInput(absolute(options.root, file)));
    for (const task of plan.tasks) {
      const recipe = this.recipes.get(task.id)!;
      if (!this.taskOf.has(recipe)) this.taskOf.set(recipe, task);
    }
  }

  /** Milliseconds between two looks at the queue, and at the journals. */
  private get poll(): number {
    return (this.options.settings.poll ?? POLL_SECONDS) * 1000;
  }
  private get tick(): number {
    return Math.min(this.poll / 2, TICK_MILLISECONDS);
  }
  private get stopped(): boolean {
    return this.options.signal.aborted || (this.summary.failed > 0 && !this.options.keepGoing);
  }
  private settled(task: Task): boolean {
    return ["hit", "done", "failed", "skipped"].includes(this.plan.states.get(task.id)!.kind);
  }

  /** Takes in what others have put into the store. */
  private advance(): void {
    this.plan.lookAgain();
    this.plan.advance();
  }

  async run(): Promise<Summary> {
    const { signal, detach } = this.options;
    try {
      do {
        this.again = false;
        if (!this.stopped) await this.submit();
        if (detach) break;
        await this.watch();
        this.advance();
      } while (!this.stopped && this.plan.tasks.some((task) => !this.settled(task)));
    } catch (error) {
      if (!signal.aborted) {
        if (this.live.size)
          this.events.warn(
            `${counted(this.live.size, "job")} submitted before go on; the next run follows them.`,
          );
        throw error;
      }
    }
    if (signal.aborted && !detach) await this.cancel();
    this.advance();
    for (const { kind } of this.plan.states.values())
      if (kind === "skipped" || kind === "waits" || kind === "miss") this.summary.skipped++;
    this.summary.cancelled = signal.aborted;
    this.summary.left = this.live.size;
    return this.summary;
  }

  /** Submits what is missing and not on its way already. One process does so at a time. */
  private async submit(): Promise<void> {
    const { signal } = this.options;
    const release = await this.store.lock(
      "slurm",
      (owner) => this.events.warn(`waits: ${owner} is submitting jobs.`),
      signal,
    );
    try {
      const rows = await this.slurm.queueAtLast(signal);
      sweep(this.store, new Set(rows.map(({ name }) => name)));
      const attached = this.attach(rows);
      this.advance();
      const submitted = await this.submitMissing(rows);
      if (submitted || attached)
        this.events.tell({
          kind: "said",
          message:
            `Slurm: ${counted(submitted, "job")} submitted` +
            (attached ? `, ${counted(attached, "job")} of an earlier run found and followed.` : "."),
        });
    } finally {
      release();
    }
  }

  /** @param rows what is in the queue. @returns how many jobs were submitted */
  private async submitMissing(rows: QueueRow[]): Promise<number> {
    const { plan, store, slurm } = this;
    const { settings, signal, root, profile, keepGoing, mirror } = this.options;
    const recipe = (id: string) => this.recipes.get(id)!;
    const todo = plan.tasks.filter(
      (task) => !this.settled(task) && this.taskOf.get(recipe(task.id)) === task,
    );
    const running = new Map<string, Submitted>();
    for (const { batch, index, recipes } of this.live) {
      const job = { job: batch.job, index };
      for (const one of recipes) running.set(one, job);
    }
    const requests = new Map<Task, string[]>();
    for (const task of todo) requests.set(task, requestsOf(task, settings, await this.coresFor(task)));
    const seconds = estimates(plan.tasks, store, store.latest(profile));
    const pieces = group(todo, running, {
      group: settings.group ?? GROUP_SECONDS,
      shapeOf: (task) => JSON.stringify([requests.get(task), task.timeout === undefined]),
      secondsOf: (task) => seconds.get(task.id),
      recipeOf: recipe,
    });
    if (pieces.length === 0) return 0;
    const planFile = writePlan(store, { root, tasks: plan.tasks, recipes: this.recipes });
    const { found, placeOf } = arrays(pieces, await slurm.arraySize(signal));
    const jobOf = new Map<JobArray, string>();
    let submitted = 0;
    for (const array of found) {
      signal.throwIfAborted();
      const waitsFor = dependency(array, placeOf, jobOf);
      const jobs = [...array.elements.values()].map(({ tasks }) => tasks);
      const elements = new Map(
        [...array.elements].map(([index, { tasks }]) => [
          index,
          Object.fromEntries(tasks.map(({ id }) => [recipe(id), id])),
        ]),
      );
      const name = writeManifest(store, array.stage, {
        profile,
        plan: planFile,
        elements: Object.fromEntries(elements),
        forced: jobs.flat().flatMap((task) => (plan.isForced(task) ? [recipe(task.id)] : [])),
        keepGoing,
        ...(mirror === undefined ? {} : { mirror }),
        dependency: waitsFor,
      });
      const folder = folderOfArray(store, name);
      this.underWay = { name, known: new Set(rows.flatMap((row) => (row.name === name ? [row.job] : []))) };
      const answer = await slurm.submit(
        name,
        sbatchOptions(
          { root, folder, indices: ranges(elements.keys()), waitsFor },
          limitOf(jobs),
          requests.get(jobs[0][0])!,
        ),
        scriptOf([process.execPath, JOB, store.folder, name]),
        this.underWay.known,
        signal,
      );
      this.underWay = undefined;
      if ("full" in answer) {
        this.full = true;
        const then = this.options.detach ? "Run again for the rest." : "The rest follows as others end.";
        this.once(`The cluster takes no more jobs now (${answer.full}). ${then}`);
        break;
      }
      jobOf.set(array, answer.job);
      this.follow(answer.job, name, true, waitsFor, elements);
      submitted += elements.size;
      for (const { id } of jobs.flat()) this.tries.set(recipe(id), (this.tries.get(recipe(id)) ?? 0) + 1);
    }
    return submitted;
  }

  /** How many cores a task's job may have: those of the smallest node, unless --jobs says it. */
  private async coresFor({ cpus, stage }: Task): Promise<number> {
    const { cores, settings, signal } = this.options;
    if (cores !== undefined || cpus !== "all") return cores ?? Number.POSITIVE_INFINITY;
    const partition = partitionOf(stage, settings);
    const known = this.coresOf.get(partition) ?? (await this.slurm.coresOfNode(partition, signal));
    this.coresOf.set(partition, known);
    return known;
  }

  /** Takes up the jobs of earlier runs that make what this one needs. @returns how many */
  private attach(rows: QueueRow[]): number {
    let count = 0;
    const found = new Map<string, { name: string; indices: number[] }>();
    for (const { job, index, name, state } of rows)
      if (ALIVE.test(state) && !this.followed.has(job)) {
        const one = found.get(job) ?? { name, indices: [] };
        found.set(job, one);
        one.indices.push(index);
      }
    for (const [job, { name, indices }] of found) {
      const manifest = readManifest(this.store, name);
      if (!manifest) continue;
      const wanted = (recipe: string) => {
        const task = this.taskOf.get(recipe);
        if (!task || ["hit", "done"].includes(this.plan.states.get(task.id)!.kind)) return false;
        return !this.plan.isForced(task) || manifest.forced.includes(recipe);
      };
      const elements = new Map(
        indices
          .map((index) => [index, manifest.elements[index] ?? {}] as const)
          .filter(([, recipes]) => Object.keys(recipes).some(wanted)),
      );
      if (elements.size === 0) continue;
      this.follow(job, name, false, manifest.dependency, elements);
      count += elements.size;
    }
    return count;
  }

  private follow(
    job: string,
    name: string,
    own: boolean,
    waitsFor: string,
    elements: Map<number, Record<string, string>>,
  ): void {
    const folder = folderOfArray(this.store, name);
    const batch: Batch = {
      job,
      name,
      folder,
      own,
      waitsFor,
      follower: new Follower(folder, job),
      elements: new Map(),
    };
    for (const [index, recipes] of elements) {
      const element: Element = {
        batch,
        index,
        recipes: Object.keys(recipes).filter((recipe) => this.taskOf.has(recipe)),
        state: "",
        begun: false,
        ended: false,
        gone: 0,
      };
      batch.elements.set(index, element);
      this.live.add(element);
    }
    this.batches.push(batch);
    this.followed.add(job);
  }

  /** Says a line once, however often the same comes about. */
  private once(line: string): void {
    if (!this.said.has(line)) this.events.warn(line);
    this.said.add(line);
  }

  /** Follows the jobs until none is left, or something is to be submitted again. */
  private async watch(): Promise<void> {
    const { poll } = this;
    const { signal } = this.options;
    this.nextLook = 0;
    const retry = this.full ? performance.now() + poll : Number.POSITIVE_INFINITY;
    this.full = false;
    while ((this.live.size || retry < Number.POSITIVE_INFINITY) && !signal.aborted) {
      this.readJournals();
      if (performance.now() >= this.nextLook) {
        this.nextLook = performance.now() + poll;
        const rows = await this.slurm.queue();
        if (rows) await this.look(rows);
      }
      if (this.summary.failed && !this.options.keepGoing) await this.stop();
      if (performance.now() >= retry) this.again = true;
      if (this.stopped ? this.live.size === 0 : this.again) return;
      await sleep(this.tick);
    }
  }

  private readJournals(): void {
    const late = this.late;
    this.late = [];
    for (const { element, line, until } of late) this.take(element, line, until);
    for (const batch of this.batches) {
      const open = (index: number) => this.live.has(batch.elements.get(index)!);
      for (const [index, lines] of batch.follower.news(open))
        for (const line of lines) this.take(batch.elements.get(index)!, line);
    }
    this.batches = this.batches.filter(({ elements }) =>
      [...elements.values()].some((one) => this.live.has(one)),
    );
    const ended = [...this.live].filter((element) => element.ended);
    if (ended.length === 0) return;
    const waiting = new Set(this.late.map(({ element }) => element));
    this.advance();
    for (const element of ended) if (!waiting.has(element)) this.close(element);
  }

  /** Takes one word of a job's journal. */
  private take(element: Element, line: Line, until = performance.now() + LATE_SECONDS * 1000): void {
    const task = "recipe" in line && line.recipe !== undefined ? this.taskOf.get(line.recipe) : undefined;
    switch (line.kind) {
      case "begin":
        if (element.begun)
          this.events.warn(`${this.nameOf(element)} begins again, on ${line.host}: Slurm has requeued it.`);
        element.begun = true;
        element.ended = false;
        break;
      case "started":
        if (task) this.show(task, line.reason);
        break;
      case "progress":
        if (task) {
          const { done, total, unit } = line;
          this.events.tell({ kind: "progress", task, done, total, unit });
        }
        break;
      case "warned":
        this.events.warn(line.line, task);
        break;
      case "found":
      case "finished": {
        if (!task || this.plan.states.get(task.id)!.kind === "done") break;
        const record = this.plan.known(task, line.key);
        if (record && line.kind === "found") this.plan.finish(task, record);
        else if (record) this.finish(task, record);
        else if (performance.now() < until) this.late.push({ element, line, until });
        break;
      }
      case "failed":
        this.markBad(element);
        if (task) this.fail(task, stageErrorOf(line.failure), line.log);
        break;
      case "absent":
        this.markBad(element);
        if (task) this.miss(element, task);
        break;
      case "end":
        element.ended = true;
        break;
    }
  }

  /** A job found that something it builds upon is not in the store. */
  private miss(element: Element, task: Task): void {
    this.events.warn(
      `${this.nameOf(element)}: ${task.id}, which it builds upon, is not in the store. What is missing is submitted again.`,
    );
    this.late = this.late.filter(({ line }) => !("recipe" in line) || this.taskOf.get(line.recipe!) !== task);
    const state = this.plan.states.get(task.id)!;
    if ((state.kind === "hit" || state.kind === "done") && !this.store.record(state.key))
      this.plan.redo(task.id, `the record of ${task.id} is gone`);
  }

  private show(task: Task, reason: string): void {
    if (this.shown.has(task)) return;
    this.shown.add(task);
    const state = this.plan.states.get(task.id)!;
    this.events.tell({ kind: "started", task, reason: state.kind === "miss" ? state.reason : reason });
  }
  private finish(task: Task, record: StageRecord): void {
    this.show(task, "made by a job");
    this.plan.finish(task, record);
    this.summary.ran++;
    this.events.tell({ kind: "finished", task, record });
  }
  private fail(task: Task, error: StageError, log: string): void {
    if (this.settled(task)) return;
    this.plan.fail(task, error.message);
    if (this.options.signal.aborted) return;
    this.show(task, "failed");
    this.summary.failed++;
    this.summary.user ||= error.failure.kind === "user";
    this.events.tell({ kind: "failed", task, error, log });
  }

  /** "job 12_3 (train[seed=1])" */
  private nameOf({ batch, index, recipes }: Element): string {
    const more = recipes.length > 1 ? ` and ${recipes.length - 1} more` : "";
    return `job ${batch.job}_${index} (${this.taskOf.get(recipes[0])!.id}${more})`;
  }
  private markBad({ batch, index }: Element): void {
    this.bad.add(batch.job).add(`${batch.job}_${index}`);
  }

  /** Lets go of a job that has ended. What it did not do is to be submitted again, unless it failed often. */
  private close(element: Element): void {
    this.live.delete(element);
    const open = element.recipes
      .map((recipe) => this.taskOf.get(recipe)!)
      .filter((task) => !this.settled(task));
    for (const task of open)
      if ((this.tries.get(this.recipes.get(task.id)!) ?? 0) >= TRIES)
        this.fail(
          task,
          new StageError(
            `was submitted ${TRIES} times, and its job never came to an end. See the job's log.`,
          ),
          this.logOf(element),
        );
    if (open.some((task) => !this.settled(task))) this.again = true;
  }

  private logOf({ batch, index }: Element): string {
    return join(batch.folder, `${batch.job}_${index}.log`);
  }

  /** Holds what the scheduler says against what is followed. */
  private async look(rows: QueueRow[]): Promise<void> {
    const byId = new Map(rows.map((row) => [`${row.job}_${row.index}`, row]));
    const never: string[] = [];
    let [runs, waits] = [0, 0];
    for (const element of this.live) {
      const id = `${element.batch.job}_${element.index}`;
      const row = byId.get(id);
      element.state = row?.state ?? "";
      if (ALIVE.test(element.state)) {
        element.gone = 0;
        if (element.state !== "PENDING") runs++;
        else if (row!.reason === "DependencyNeverSatisfied") never.push(id);
        else {
          waits++;
          if (!USUAL.test(row!.reason))
            this.once(`Some jobs wait (${row!.reason}), as ${this.nameOf(element)}.`);
        }
        continue;
      }
      this.nextLook = Math.min(this.nextLook, performance.now() + Math.min(this.poll, SOON_MILLISECONDS));
      if (++element.gone >= LOOKS) this.conclude(element, row?.reason ?? "");
    }
    await this.slurm.cancel(never, { pending: true }, this.options.signal);
    const line = `Slurm: ${counted(runs, "job")} running, ${waits} waiting.`;
    if (waits && performance.now() - this.toldAt > TELL_SECONDS * 1000 && line !== this.told) {
      [this.told, this.toldAt] = [line, performance.now()];
      this.events.tell({ kind: "said", message: line });
    }
  }

  /** What becomes of a job that is gone without a last word. */
  private conclude(element: Element, reason: string): void {
    this.advance(); // the store may know more than the scheduler
    const open = element.recipes
      .map((recipe) => this.taskOf.get(recipe)!)
      .filter((task) => !this.settled(task));
    const { state, batch } = element;
    const fallout =
      state === "CANCELLED" &&
      !element.begun &&
      (this.stopped || this.fellWith(batch.waitsFor, element.index));
    if (!fallout && state !== "COMPLETED" && open.length) {
      if (LOST.test(state)) {
        const why = state
          ? `${state}${reason && reason !== "None" ? `, ${reason}` : ""}`
          : "Slurm knows it no more";
        this.events.warn(`${this.nameOf(element)} was lost (${why}). What is missing is submitted again.`);
      } else {
        const task = open.find((one) => this.shown.has(one)) ?? open[0];
        const said = element.begun ? "" : lastWords(this.logOf(element));
        this.fail(
          task,
          new StageError(`its job ${batch.job}_${element.index} ${endOf(state, reason)}${said}`),
          this.logOf(element),
        );
      }
    }
    if (open.length) this.markBad(element);
    this.close(element);
  }

  /** Whether a job was cancelled because of one that it waited for. */
  private fellWith(waitsFor: string, index: number): boolean {
    return waitsFor.split(",").some((term) => {
      const [kind, ...ids] = term.split(":");
      return ids.some((id) =>
        kind === "aftercorr"
          ? this.bad.has(`${id}_${index}`)
          : this.bad.has(id) || !this.followed.has(id.split("_")[0]),
      );
    });
  }

  /** After a failure nothing new begins; what runs may end. */
  private async stop(): Promise<void> {
    const waiting = [...this.live].filter(({ begun }) => !begun);
    await this.slurm.cancel(
      [...new Set(waiting.filter(({ batch }) => batch.own).map(({ batch }) => batch.job))],
      { pending: true },
      this.options.signal,
    );
    for (const element of waiting) if (!element.begun) this.live.delete(element);
  }

  /** Cancels what this process submitted. */
  private async cancel(): Promise<void> {
    const { underWay } = this;
    const own = [...this.live].filter(({ batch }) => batch.own);
    const jobs = new Set(own.map(({ batch }) => batch.job));
    if (underWay)
      for (const { name, job } of await this.slurm.queueAtLast())
        if (name === underWay.name && !underWay.known.has(job)) jobs.add(job);
    await this.slurm.cancel([...jobs], { pending: false });
    const deadline = performance.now() + CANCEL_SECONDS * 1000;
    while (performance.now() < deadline) {
      const rows = (await this.slurm.queue()) ?? [];
      const alive = new Set(
        rows.filter(({ state }) => ALIVE.test(state)).map(({ job, index }) => `${job}_${index}`),
      );
      for (const one of own) if (!alive.has(`${one.batch.job}_${one.index}`)) this.live.delete(one);
      this.readJournals();
      if (!own.some((one) => this.live.has(one))) break;
      await sleep(this.tick);
    }
    const left = [...new Set([...this.live].map(({ batch }) => batch.job))];
    if (left.length)
      this.events.warn(`jobs that another run submitted go on. To end them: scancel ${left.join(" ")}`);
  }
}

/** The last line of a log, in brackets; "" when there is none. */
function lastWords(log: string): string {
  try {
    const line = readFileSync(log, "utf8").trim().split("\n").at(-1);
    return line ? ` It said: ${line}` : "";
  } catch {
    return "";
  }
}

/** Runs every task of the plan that is not known, on the cluster. Never throws for a stage's fault: see the summary. */
export function runOnSlurm(
  plan: Plan,
  store: Store,
  options: SlurmOptions,
  events: Events,
): Promise<Summary> {
  return new SlurmRun(plan, store, options, events).run();
}
