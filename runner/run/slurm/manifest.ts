/** The instructions of a job: files in the store's folder `slurm/`, written before the job is submitted. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Code, canonical } from "../../code/index.ts";
import { readOwn, replaceFile, sha256 } from "../../files/index.ts";
import type { Task } from "../../plan/index.ts";
import type { Store } from "../../store/index.ts";

/** The work of one array of jobs. */
export interface Manifest {
  profile: string;
  /** The file of the tasks, in the store's folder `slurm/`. */
  plan: string;
  /** Index → recipe → id: what each element runs. */
  elements: Record<string, Record<string, string>>;
  /** Recipes of the tasks that run even if their results are stored. */
  forced: string[];
  /** Whether an element goes on with its other tasks after one has failed. */
  keepGoing: boolean;
  /** The folder that stages search for a download first. */
  mirror?: string;
  /** The dependencies, as sbatch got them; "" for none. */
  dependency: string;
}

/** The tasks of a run, each with its recipe. */
export interface TaskList {
  root: string;
  tasks: Task[];
  recipes: Map<string, string>;
}

interface PlanFile {
  root: string;
  codes: Record<string, Code>;
  tasks: (Omit<Task, "at" | "code" | "parts"> & {
    recipe: string;
    code?: string;
    parts: Record<string, { name: string; code: string; params: Record<string, unknown> }>;
  })[];
}

const folderOf = (store: Store) => join(store.folder, "slurm");

/** Nothing that is this old is waited for. */
const OLD_MILLISECONDS = 30 * 24 * 3600 * 1000;

/** Writes the tasks of a run. @returns the file's name, by its content */
export function writePlan(store: Store, { root, tasks, recipes }: TaskList): string {
  const codes: Record<string, Code> = {};
  const keep = (code: Code) => {
    codes[code.hash] = code;
    return code.hash;
  };
  const content: PlanFile = {
    root,
    codes,
    tasks: tasks.map(({ at, code, parts, ...rest }) => ({
      ...rest,
      recipe: recipes.get(rest.id)!,
      code: code && keep(code),
      parts: Object.fromEntries(
        Object.entries(parts).map(([param, part]) => [param, { ...part, code: keep(part.code) }]),
      ),
    })),
  };
  const text = JSON.stringify(content); // in the order that it has here: a stage may write its params as they come
  const name = `plan-${sha256(text).slice(0, 16)}.json`;
  const path = join(folderOf(store), name);
  if (!existsSync(path)) replaceFile(path, text);
  return name;
}

/** Reads what {@link writePlan} wrote. */
export function readPlan(store: Store, name: string): TaskList {
  const { root, codes, tasks } = JSON.parse(readFileSync(join(folderOf(store), name), "utf8")) as PlanFile;
  return {
    root,
    recipes: new Map(tasks.map(({ id, recipe }) => [id, recipe])),
    tasks: tasks.map(
      ({ code, parts, recipe, ...rest }): Task => ({
        ...rest,
        at: () => rest.id, // the file's lines are another day's
        code: code === undefined ? undefined : codes[code],
        parts: Object.fromEntries(
          Object.entries(parts).map(([param, part]) => [param, { ...part, code: codes[part.code] }]),
        ),
      }),
    ),
  };
}

const NAME = /^[\w-]+\.[0-9a-f]{16}$/;
const PLAN = /^plan-[0-9a-f]{16}\.json$/;

/** The folder of an array: its manifest, and the logs and journals of its elements. */
export const folderOfArray = (store: Store, name: string): string => join(folderOf(store), name);

/** Writes what an array is to do. @returns the name of its jobs: the same for the same work */
export function writeManifest(store: Store, stage: string, manifest: Manifest): string {
  const text = canonical(manifest);
  const name = `${stage}.${sha256(text).slice(0, 16)}`;
  mkdirSync(folderOfArray(store, name), { recursive: true });
  replaceFile(join(folderOfArray(store, name), "manifest.json"), text);
  return name;
}

/** The manifest of a job by its name; undefined when it is none of this store's. */
export function readManifest(store: Store, name: string): Manifest | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    const manifest = JSON.parse(readOwn(join(folderOfArray(store, name), "manifest.json")));
    return PLAN.test(manifest.plan) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what old jobs left. @param names of jobs that are there still */
export function sweep(store: Store, names: Set<string>): void {
  if (!existsSync(folderOf(store))) return;
  const needed = new Set([...names, ...[...names].map((name) => readManifest(store, name)?.plan)]);
  for (const entry of readdirSync(folderOf(store))) {
    if (!NAME.test(entry) && !PLAN.test(entry)) continue;
    const path = join(folderOf(store), entry);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && !needed.has(entry) && Date.now() - stats.mtimeMs > OLD_MILLISECONDS)
      rmSync(path, { recursive: true, force: true });
  }
}
