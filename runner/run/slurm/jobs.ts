/** The jobs that a run follows: arrays on the cluster, and their elements. */
import { join } from "node:path";
import type { Task } from "../../plan/index.ts";
import type { Store } from "../../store/index.ts";
import { Follower } from "./journal.ts";
import { folderOfArray } from "./manifest.ts";

/** One array of jobs on the cluster. */
export interface Batch {
  job: string;
  name: string;
  folder: string;
  /** Whether this process submitted it. */
  own: boolean;
  /** The dependencies that sbatch was given. */
  waitsFor: string;
  follower: Follower;
  elements: Map<number, Element>;
}

/** One job: an element of an array. */
export interface Element {
  batch: Batch;
  index: number;
  recipes: string[];
  /** The last state that the scheduler gave; "" before the first. */
  state: string;
  begun: boolean;
  ended: boolean;
  /** How many times the scheduler was asked since it last listed the job as alive. */
  gone: number;
}

/** The argument of {@link Jobs.follow}: an array, its dependencies, and per element the recipes of its tasks. */
export interface Followed {
  job: string;
  name: string;
  own: boolean;
  waitsFor: string;
  elements: Map<number, Record<string, string>>;
}

export class Jobs {
  /** The elements that have not ended. */
  readonly live = new Set<Element>();
  batches: Batch[] = [];
  /** How many times each recipe was submitted. */
  readonly submissions = new Map<string, number>();
  private readonly followed = new Set<string>();
  /** Ids of jobs and of elements in which a task failed. */
  private readonly failed = new Set<string>();
  private readonly store: Store;
  private readonly taskOf: Map<string, Task>;

  /** @param taskOf the task of each recipe; of tasks with one recipe, the first */
  constructor(store: Store, taskOf: Map<string, Task>) {
    this.store = store;
    this.taskOf = taskOf;
  }

  isFollowed(job: string): boolean {
    return this.followed.has(job);
  }

  follow({ job, name, own, waitsFor, elements }: Followed): void {
    const folder = folderOfArray(this.store, name);
    const follower = new Follower(folder, job);
    const batch: Batch = { job, name, folder, own, waitsFor, follower, elements: new Map() };
    for (const [index, tasks] of elements) {
      const recipes = Object.keys(tasks).filter((recipe) => this.taskOf.has(recipe));
      const element = { batch, index, recipes, state: "", begun: false, ended: false, gone: 0 };
      batch.elements.set(index, element);
      this.live.add(element);
    }
    this.batches.push(batch);
    this.followed.add(job);
  }

  /** Stops following the arrays whose elements have all ended. */
  forgetEnded(): void {
    this.batches = this.batches.filter(({ elements }) =>
      [...elements.values()].some((one) => this.live.has(one)),
    );
  }

  /** The live elements that this process submitted. */
  get own(): Element[] {
    return [...this.live].filter(({ batch }) => batch.own);
  }

  tasksOf({ recipes }: Element): Task[] {
    return recipes.map((recipe) => this.taskOf.get(recipe)!);
  }

  idOf({ batch, index }: Element): string {
    return `${batch.job}_${index}`;
  }

  /** "job 12_3 (train[seed=1])" */
  nameOf(element: Element): string {
    const [first, ...others] = this.tasksOf(element);
    return `job ${this.idOf(element)} (${first.id}${others.length ? ` and ${others.length} more` : ""})`;
  }

  logOf(element: Element): string {
    return join(element.batch.folder, `${this.idOf(element)}.log`);
  }

  markFailed(element: Element): void {
    this.failed.add(element.batch.job).add(this.idOf(element));
  }

  /** Whether Slurm cancelled an element because a job that it waited for failed. */
  failedWith({ batch, index }: Element): boolean {
    return batch.waitsFor.split(",").some((term) => {
      const [kind, ...ids] = term.split(":");
      return ids.some((id) =>
        kind === "aftercorr"
          ? this.failed.has(`${id}_${index}`)
          : this.failed.has(id) || !this.followed.has(id.split("_")[0]),
      );
    });
  }
}

/** The ids of the arrays of these elements, each once. */
export const arraysOf = (elements: Iterable<Element>): string[] => [
  ...new Set([...elements].map(({ batch }) => batch.job)),
];
