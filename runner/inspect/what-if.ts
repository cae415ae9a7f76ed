/** What `what-if` prints: what a change would run, and how long that would take by what past runs took. */

import { type Plan, partsOf, type Task } from "../plan/index.ts";
import { coresOf } from "../run/index.ts";
import type { StageRecord, Store } from "../store/index.ts";
import { columns, duration } from "../text/index.ts";
import { byStage } from "./graph.ts";

/** How long a task may take, from the run most like it: with the same params, or with other ones. */
export interface Estimate {
  seconds: number;
  /** How many params and parts were others there. */
  apart: number;
}

/** The leaves of a params map that differ. */
function countDifferences(a: unknown, b: unknown): number {
  const isTree = (value: unknown) => value !== null && typeof value === "object";
  if (!isTree(a) || !isTree(b)) return a === b ? 0 : 1;
  const [x, y] = [a, b] as Record<string, unknown>[];
  return [...new Set([...Object.keys(x), ...Object.keys(y)])].reduce(
    (sum, key) => sum + countDifferences(x[key], y[key]),
    0,
  );
}

/** What a task may take, by the records of its stage; of those equally near, its own, then the latest. */
export function estimate(task: Task, past: StageRecord[]): Estimate | undefined {
  const { params, parts } = partsOf(task);
  const settled = (some: Pick<StageRecord, "parts" | "params">) => [
    some.params,
    Object.fromEntries(
      Object.entries(some.parts).map(([param, { name, params }]) => [param, [name, params]]),
    ),
  ];
  const own = settled({ params, parts });
  let best: { record: StageRecord; apart: number } | undefined;
  const nearer = (record: StageRecord, apart: number): boolean => {
    if (!best || apart !== best.apart) return !best || apart < best.apart;
    const [is, was] = [record.id === task.id, best.record.id === task.id];
    return is === was ? record.ended > best.record.ended : is;
  };
  for (const record of past) {
    const apart = countDifferences(own, settled(record));
    if (nearer(record, apart)) best = { record, apart };
  }
  return best && { seconds: best.record.seconds, apart: best.apart };
}

/**
 * How long tasks take together: each starts as soon as what it needs has ended and its cores are free.
 * @param tasks those that run, upstream before downstream
 * @param cores that they share
 */
export function makespan(
  tasks: Task[],
  seconds: (task: Task) => number,
  upstream: (task: Task) => string[],
  cores: number,
): number {
  const claim = (task: Task) => coresOf(task, cores);
  const waiting = new Set(tasks);
  const open = new Set(tasks.map(({ id }) => id));
  const running: { task: Task; end: number }[] = [];
  let free = cores;
  let now = 0;
  while (open.size) {
    for (const task of waiting) {
      if (free === 0) break; // no task claims less than a core: thousands that wait are not asked each time
      if (claim(task) > free || upstream(task).some((id) => open.has(id))) continue;
      waiting.delete(task);
      free -= claim(task);
      running.push({ task, end: now + seconds(task) });
    }
    running.sort((a, b) => a.end - b.end);
    const next = running.shift()!; // there is one: the first that waits needs nothing that waits
    now = next.end;
    free += claim(next.task);
    open.delete(next.task.id);
  }
  return now;
}

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

/**
 * What would run and how long it may take; one line a stage, then the sum.
 * @param cores that the run would have
 */
export function whatIf(plan: Plan, store: Store, cores: number): string {
  const past = new Map<string, StageRecord[]>();
  for (const record of store.records()) {
    const same = past.get(record.stage);
    if (same) same.push(record);
    else past.set(record.stage, [record]);
  }
  const estimates = new Map<string, Estimate | undefined>();
  const runs = plan.tasks.filter(({ id }) => ["miss", "waits"].includes(plan.states.get(id)!.kind));
  for (const task of runs) estimates.set(task.id, estimate(task, past.get(task.stage) ?? []));
  const secondsOf = (task: Task) => estimates.get(task.id)?.seconds ?? 0;
  const rows = [...byStage(runs)].map(([stage, tasks]) => {
    const sum = tasks.reduce((sum, task) => sum + secondsOf(task), 0);
    const states = tasks.map(({ id }) => plan.states.get(id)!);
    const reasons = [...new Set(states.flatMap((state) => (state.kind === "miss" ? [state.reason] : [])))];
    const waits = new Set(
      states.flatMap((state) => (state.kind === "waits" ? state.for.map((id) => plan.task(id).stage) : [])),
    );
    const unknown = tasks.filter(({ id }) => !estimates.get(id)).length;
    const time =
      unknown === tasks.length
        ? "never timed"
        : `${duration(sum)}${unknown ? `, ${unknown} never timed` : ""}`;
    const why = [
      ...reasons.slice(0, 2),
      ...(reasons.length > 2 ? ["…"] : []),
      ...(waits.size ? [`if other bytes come from ${[...waits].join(", ")}`] : []),
    ];
    return [stage, counted(tasks.length, "run"), time, why.join("; ")];
  });
  if (rows.length === 0)
    return `Nothing would run: all ${counted(plan.tasks.length, "stage")} are up to date.`;
  const table = columns(rows);
  const known = [...estimates.values()].filter((one) => one !== undefined);
  const same = known.filter(({ apart }) => apart === 0).length;
  const work = runs.reduce((sum, task) => sum + secondsOf(task), 0);
  const length = makespan(runs, secondsOf, (task) => plan.upstream(task), cores);
  const rests = [
    ...(same ? [`${same} on runs with the same params`] : []),
    ...(known.length > same ? [`${known.length - same} on the nearest run of their stage`] : []),
    ...(runs.length > known.length ? [`${runs.length - known.length} never ran and count for nothing`] : []),
  ];
  return [
    ...table,
    `At most ${counted(runs.length, "stage")} of ${plan.tasks.length} would run: ${duration(work)} of work, about ${duration(length)} on ${counted(cores, "core")}.`,
    `Of these times, ${rests.join(", ")}.`,
  ].join("\n");
}
