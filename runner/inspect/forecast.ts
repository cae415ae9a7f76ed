/** How long stages will take, by what past runs took. */
import { type Plan, partsOf, type Task } from "../plan/index.ts";
import { leastOf } from "../run/index.ts";
import type { StageRecord, Store } from "../store/index.ts";

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

/** The expected time of a task, by the records of its stage; of equally near ones its own, then the latest. */
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
  const claim = (task: Task) => leastOf(task, cores);
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

/** The time that the rest of a plan takes. */
export interface TimeLeft {
  seconds: number;
  /** Tasks without a record of their time; `seconds` leaves them out. */
  untimed: number;
}

/** Estimates of a plan's tasks by the records of a store. */
export class Forecast {
  private readonly plan: Plan;
  private readonly cores: number;
  private readonly past = new Map<string, StageRecord[]>();
  private readonly known = new Map<string, Estimate | undefined>();

  /** @param cores that the stages share */
  constructor(plan: Plan, store: Store, cores: number) {
    this.plan = plan;
    this.cores = cores;
    for (const record of store.records()) this.add(record);
  }

  private add(record: StageRecord): void {
    const same = this.past.get(record.stage);
    if (same) same.push(record);
    else this.past.set(record.stage, [record]);
  }

  /** The estimate of one task; undefined if its stage never ran. */
  of(task: Task): Estimate | undefined {
    if (!this.known.has(task.id)) this.known.set(task.id, estimate(task, this.past.get(task.stage) ?? []));
    return this.known.get(task.id);
  }

  /** Takes the record of this run into account: tasks of the same stage without an estimate get one. */
  learn(record: StageRecord): void {
    this.add(record);
    for (const { id, stage } of this.plan.tasks)
      if (stage === record.stage && this.known.has(id) && !this.known.get(id)) this.known.delete(id);
  }

  /** The tasks that have no result yet, upstream before downstream. */
  open(): Task[] {
    return this.plan.tasks.filter(({ id }) =>
      ["miss", "waits", "running"].includes(this.plan.states.get(id)!.kind),
    );
  }

  /**
   * How long the open tasks will take.
   * @param spent seconds that a running task has taken so far
   */
  left(spent: (task: Task) => number = () => 0): TimeLeft {
    const tasks = this.open();
    const seconds = (task: Task) => Math.max(0, (this.of(task)?.seconds ?? 0) - spent(task));
    return {
      seconds: makespan(tasks, seconds, (task) => this.plan.upstream(task), this.cores),
      untimed: tasks.filter((task) => !this.of(task)).length,
    };
  }
}
