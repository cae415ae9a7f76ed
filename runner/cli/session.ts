/** The start of every command: the study of a profile, its tasks, the store and the plan. */
import { resolve as absolute } from "node:path";
import { CodeBook } from "../code/index.ts";
import { Plan, refuseLeaks, resolve, type Task } from "../plan/index.ts";
import { Events } from "../run/index.ts";
import { UserError } from "../stage.ts";
import { Store } from "../store/index.ts";
import { expand, load, type Study } from "../study/index.ts";
import { suggest } from "../text/index.ts";
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

/** All tasks upstream (or downstream) of the named stages, these included. */
function closure(tasks: Task[], stages: string[], way: "up" | "down"): Set<string> {
  const found = new Set(
    tasks.filter(({ id, stage }) => stages.includes(stage) || stages.includes(id)).map(({ id }) => id),
  );
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
  const stages = [...new Set(tasks.flatMap(({ stage, id }) => [stage, id]))];
  for (const [option, names] of [
    ["--only", options.only],
    ["--from", options.from],
  ] as const)
    for (const name of names ?? [])
      if (!stages.includes(name))
        throw new UserError(
          `${option} ${name}: the profile ${study.profile} has no such stage.${suggest(name, stages)}`,
        );
  const named = (names: string[] = []) =>
    tasks.filter(({ stage, id }) => names.includes(stage) || names.includes(id)).map(({ id }) => id);
  const forced = new Set<string>();
  if (options.force)
    for (const id of options.only?.length ? named(options.only) : tasks.map(({ id }) => id)) forced.add(id);
  if (options.from?.length) for (const id of closure(tasks, options.from, "down")) forced.add(id);
  if (options.only?.length) {
    const wanted = closure(tasks, options.only, "up");
    tasks = tasks.filter(({ id }) => wanted.has(id));
  }
  const events = new Events();
  const store = new Store(cache, events.tell);
  const latest = store.latest(study.profile);
  const plan = new Plan(tasks, store, root, forced, latest, events.tell);
  plan.strict = options.strict === true;
  return { root, study, tasks, store, plan, latest, events };
}
