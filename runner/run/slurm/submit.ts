/** Submits the tasks that are missing, at once, with their dependencies; finds the jobs of earlier runs. */
import { fileURLToPath } from "node:url";
import type { Plan, Task } from "../../plan/index.ts";
import type { Store } from "../../store/index.ts";
import { GROUP_SECONDS } from "../../study/index.ts";
import { counted } from "../../text/index.ts";
import type { Events } from "../index.ts";
import type { QueueRow, Slurm } from "./commands.ts";
import { estimates } from "./estimate.ts";
import { arrays, dependency, group, type JobArray, ranges, type Submitted } from "./group.ts";
import type { Jobs } from "./jobs.ts";
import { folderOfArray, readManifest, sweep, writeManifest, writePlan } from "./manifest.ts";
import type { SlurmOptions } from "./options.ts";
import type { Outcomes } from "./outcomes.ts";
import { limitOf, partitionOf, requestsOf, sbatchOptions, scriptOf } from "./request.ts";
import { ALIVE } from "./states.ts";

/** The process of a job, beside this one's bundle. */
const JOB = fileURLToPath(new URL("./job.mjs", import.meta.url));

/** The parts of a run on the cluster. */
export interface Parts {
  plan: Plan;
  store: Store;
  options: SlurmOptions;
  events: Events;
  slurm: Slurm;
  jobs: Jobs;
  outcomes: Outcomes;
  /** The recipe of each task's id. */
  recipes: Map<string, string>;
  /** The task of each recipe; of tasks with one recipe, the first. */
  taskOf: Map<string, Task>;
}

export class Submitter {
  /** Whether the cluster took no more jobs. */
  full = false;
  private readonly parts: Parts;
  /** The submission that sbatch has not confirmed. */
  private underWay?: { name: string; known: Set<string> };
  private readonly coresOf = new Map<string | undefined, number>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Submits the tasks that are missing and that no job makes. One process does so at a time. */
  async submit(): Promise<void> {
    const { store, events, slurm, outcomes } = this.parts;
    const { signal } = this.parts.options;
    const wait = (owner: string) => events.warn(`waits: ${owner} is submitting jobs.`);
    const release = await store.lock("slurm", wait, signal);
    try {
      const rows = await slurm.queueAtLast(signal);
      sweep(store, new Set(rows.map(({ name }) => name)));
      const attached = this.attach(rows);
      outcomes.advance();
      const submitted = await this.submitMissing(rows);
      const found = attached ? `, ${counted(attached, "job")} of an earlier run found and followed.` : ".";
      if (submitted || attached)
        events.tell({ kind: "said", message: `Slurm: ${counted(submitted, "job")} submitted${found}` });
    } finally {
      release();
    }
  }

  /** Ids of the jobs that this process submitted and sbatch has not confirmed. */
  async unconfirmed(): Promise<string[]> {
    const { underWay } = this;
    if (!underWay) return [];
    const rows = await this.parts.slurm.queueAtLast();
    return rows.flatMap(({ name, job }) => (name === underWay.name && !underWay.known.has(job) ? [job] : []));
  }

  /** Follows the jobs of earlier runs that make what this one needs. @returns how many */
  private attach(rows: QueueRow[]): number {
    const { plan, store, jobs, taskOf } = this.parts;
    let count = 0;
    const found = new Map<string, { name: string; indices: number[] }>();
    for (const { job, index, name, state } of rows)
      if (ALIVE.test(state) && !jobs.isFollowed(job)) {
        const one = found.get(job) ?? { name, indices: [] };
        found.set(job, one);
        one.indices.push(index);
      }
    for (const [job, { name, indices }] of found) {
      const manifest = readManifest(store, name);
      if (!manifest) continue;
      const wanted = (recipe: string) => {
        const task = taskOf.get(recipe);
        if (!task || ["hit", "done"].includes(plan.states.get(task.id)!.kind)) return false;
        return !plan.isForced(task) || manifest.forced.includes(recipe);
      };
      const elements = new Map(
        indices
          .map((index) => [index, manifest.elements[index] ?? {}] as const)
          .filter(([, recipes]) => Object.keys(recipes).some(wanted)),
      );
      if (elements.size === 0) continue;
      jobs.follow({ job, name, own: false, waitsFor: manifest.dependency, elements });
      count += elements.size;
    }
    return count;
  }

  /** @param rows the queue. @returns how many jobs were submitted */
  private async submitMissing(rows: QueueRow[]): Promise<number> {
    const { plan, store, slurm, jobs, recipes } = this.parts;
    const { signal, root } = this.parts.options;
    const requests = new Map<Task, string[]>();
    const pieces = await this.pieces(requests);
    if (pieces.length === 0) return 0;
    const planFile = writePlan(store, { root, tasks: plan.tasks, recipes });
    const { found, placeOf } = arrays(pieces, await slurm.arraySize(signal));
    const jobOf = new Map<JobArray, string>();
    let submitted = 0;
    for (const array of found) {
      signal.throwIfAborted();
      const waitsFor = dependency(array, placeOf, jobOf);
      const { name, elements } = this.describe(array, planFile, waitsFor);
      const tasks = [...array.elements.values()].map((one) => one.tasks);
      const folder = folderOfArray(store, name);
      this.underWay = { name, known: new Set(rows.flatMap((row) => (row.name === name ? [row.job] : []))) };
      const answer = await slurm.submit(
        name,
        sbatchOptions(
          { root, folder, indices: ranges(elements.keys()), waitsFor },
          limitOf(tasks),
          requests.get(tasks[0][0])!,
        ),
        scriptOf([process.execPath, JOB, store.folder, name]),
        this.underWay.known,
        signal,
      );
      this.underWay = undefined;
      if ("full" in answer) {
        this.refused(answer.full);
        break;
      }
      jobOf.set(array, answer.job);
      jobs.follow({ job: answer.job, name, own: true, waitsFor, elements });
      submitted += elements.size;
      for (const { id } of tasks.flat()) {
        const recipe = recipes.get(id)!;
        jobs.submissions.set(recipe, (jobs.submissions.get(recipe) ?? 0) + 1);
      }
    }
    return submitted;
  }

  /** The tasks to submit, grouped into jobs. @param requests gets what each task asks the cluster for */
  private async pieces(requests: Map<Task, string[]>) {
    const { plan, store, jobs, outcomes, recipes, taskOf, options } = this.parts;
    const recipe = (id: string) => recipes.get(id)!;
    const missing = plan.tasks.filter(
      (task) => !outcomes.isSettled(task) && taskOf.get(recipe(task.id)) === task,
    );
    const running = new Map<string, Submitted>();
    for (const { batch, index, recipes } of jobs.live)
      for (const one of recipes) running.set(one, { job: batch.job, index });
    for (const task of missing)
      requests.set(task, requestsOf(task, options.settings, await this.coresFor(task)));
    const seconds = estimates(plan.tasks, store, store.latest(options.profile));
    return group(missing, running, {
      group: options.settings.group ?? GROUP_SECONDS,
      shapeOf: (task) => JSON.stringify([requests.get(task), task.timeout === undefined]),
      secondsOf: (task) => seconds.get(task.id),
      recipeOf: recipe,
    });
  }

  /** Writes the manifest of an array. @returns its name, and the ids of the tasks of its elements by recipe */
  private describe(array: JobArray, planFile: string, waitsFor: string) {
    const { plan, store, recipes, options } = this.parts;
    const { profile, keepGoing, mirror } = options;
    const recipe = (id: string) => recipes.get(id)!;
    const tasks = [...array.elements.values()].flatMap((one) => one.tasks);
    const elements = new Map(
      [...array.elements].map(([index, one]) => [
        index,
        Object.fromEntries(one.tasks.map(({ id }) => [recipe(id), id])),
      ]),
    );
    const name = writeManifest(store, array.stage, {
      profile,
      plan: planFile,
      elements: Object.fromEntries(elements),
      forced: tasks.flatMap((task) => (plan.isForced(task) ? [recipe(task.id)] : [])),
      keepGoing,
      ...(mirror === undefined ? {} : { mirror }),
      dependency: waitsFor,
    });
    return { name, elements };
  }

  private refused(reason: string): void {
    const { outcomes, options } = this.parts;
    this.full = true;
    const then = options.detach ? "Run again for the rest." : "The rest follows as others end.";
    outcomes.warnOnce(`The cluster takes no more jobs now (${reason}). ${then}`);
  }

  /** How many cores a task's job may have: those of the smallest node, unless --jobs limits them. */
  private async coresFor({ cpus, stage }: Task): Promise<number> {
    const { cores, settings, signal } = this.parts.options;
    if (cores !== undefined || cpus !== "all") return cores ?? Number.POSITIVE_INFINITY;
    const partition = partitionOf(stage, settings);
    const known = this.coresOf.get(partition) ?? (await this.parts.slurm.coresOfNode(partition, signal));
    this.coresOf.set(partition, known);
    return known;
  }
}
