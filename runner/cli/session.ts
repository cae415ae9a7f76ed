/** The start of every command: the study of a profile, its tasks, the store and the plan. */
import { resolve as absolute } from "node:path";
import { CodeBook } from "../code/index.ts";
import { named, Plan, refuseLeaks, resolve, type Task } from "../plan/index.ts";
import { Events } from "../run/index.ts";
import { Store } from "../store/index.ts";
import { expand, load, type Study } from "../study/index.ts";
import type { Options } from "./options.ts";

export interface Session {
  root: string;
  study: Study;
  tasks: Task[];
  store: Store;
  plan: Plan;
  latest: Record<string, string>;
  /** The events of the store, the plan and the run. */
  events: Events;
}

/** All tasks upstream (or downstream) of some, these included. */
function closure(tasks: Task[], ids: string[], way: "up" | "down"): Set<string> {
  const found = new Set(ids);
  const order = way === "up" ? [...tasks].reverse() : tasks;
  for (const task of order) {
    const upstream = Object.values(task.inputs).flatMap((list) =>
      list.flatMap((one) => ("id" in one ? [one.id] : [])),
    );
    if (way === "up" && found.has(task.id)) for (const id of upstream) found.add(id);
    if (way === "down" && upstream.some((id) => found.has(id))) found.add(task.id);
  }
  return found;
}

export async function prepare(options: Options): Promise<Session> {
  const root = process.cwd();
  const study = expand(load(absolute(options.pipeline), root), options.profile, options.set);
  const cache = absolute(root, options.cache);
  let tasks = await resolve(study, root, new CodeBook(root), cache);
  refuseLeaks(tasks, root);
  const idsOf = (option: string, names: string[] = []) =>
    names.flatMap((name) =>
      named(name, tasks, `${option} ${name}: the profile ${study.profile} has no such stage.`).map(
        ({ id }) => id,
      ),
    );
  const only = idsOf("--only", options.only);
  const from = idsOf("--from", options.from);
  const forced = new Set<string>();
  if (options.force) for (const id of only.length ? only : tasks.map(({ id }) => id)) forced.add(id);
  if (from.length) for (const id of closure(tasks, from, "down")) forced.add(id);
  if (only.length) {
    const wanted = closure(tasks, only, "up");
    tasks = tasks.filter(({ id }) => wanted.has(id));
  }
  const events = new Events();
  const store = new Store(cache, events.tell);
  const latest = store.latest(study.profile);
  const plan = new Plan(tasks, store, root, forced, latest, events.tell);
  plan.counting.strict = options.strict === true;
  return { root, study, tasks, store, plan, latest, events };
}
