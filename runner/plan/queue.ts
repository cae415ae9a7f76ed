/** The tasks that would run, and those that run: what a run asks of all its tasks at each turn, without a look at all. */
import type { State } from "./state.ts";
import type { Task } from "./task.ts";

/** The mark of a task that would run, and that a shared cache is asked for. */
const ASKED = 2;

export class Queue {
  private readonly tasks: Task[];
  private readonly orderOf: Map<Task, number>;
  /** The tasks that would run (1), and those that a shared cache is asked for ({@link ASKED}), by their order, with their keys; and a place before which none would. */
  private readonly missing: Uint8Array;
  private readonly keys: string[] = [];
  private first = 0;
  /** The tasks that ever would run with a key. */
  private readonly byKey = new Map<string, Task[]>();
  private readonly running = new Set<string>();
  /** The keys that a shared cache is asked for. */
  private readonly asked = new Set<string>();
  /** How many tasks have their results. */
  settled = 0;

  /** @param tasks upstream before downstream */
  constructor(tasks: Task[]) {
    this.tasks = tasks;
    this.orderOf = new Map(tasks.map((task, index) => [task, index]));
    this.missing = new Uint8Array(tasks.length);
  }

  /** Takes a new state of a task. */
  change(task: Task, before: State, state: State): void {
    this.settled += Number(isSettled(state)) - Number(isSettled(before));
    if (before.kind === "running") this.running.delete(before.key);
    if (state.kind === "running") this.running.add(state.key);
    const order = this.orderOf.get(task)!;
    this.missing[order] = Number(state.kind === "miss");
    if (state.kind !== "miss") return;
    this.first = Math.min(this.first, order);
    this.keys[order] = state.key;
    const same = this.byKey.get(state.key);
    if (same) same.push(task);
    else this.byKey.set(state.key, [task]);
  }

  /** Keeps a task back while a shared cache is asked for its key. */
  hold(task: Task, key: string): void {
    this.asked.add(key);
    this.missing[this.orderOf.get(task)!] = ASKED;
  }

  /** Ends {@link hold}. */
  release(task: Task, key: string): void {
    this.asked.delete(key);
    const order = this.orderOf.get(task)!;
    if (this.missing[order] !== ASKED) return; // its state changed meanwhile
    this.missing[order] = 1;
    this.first = Math.min(this.first, order);
  }

  /** Whether a shared cache is asked for a key. */
  isAsked(key: string): boolean {
    return this.asked.has(key);
  }

  /** The tasks that would run with a key, perhaps with some that no longer would; afterwards the key has none. */
  take(key: string): Task[] {
    const found = this.byKey.get(key) ?? [];
    this.byKey.delete(key);
    return found;
  }

  /**
   * The tasks that can start: of two with one key the first, if none runs with it. Gives them one by one, in order, so
   * that a run of 100,000 looks only at as many as it has cores for.
   */
  *ready(): Generator<Task> {
    const taken = new Set<string>();
    let from = this.first;
    for (;;) {
      const order = this.missing.indexOf(1, from);
      if (from === this.first) this.first = order < 0 ? this.missing.length : order;
      if (order < 0) return;
      from = order + 1;
      const key = this.keys[order];
      if (taken.has(key) || this.running.has(key) || this.asked.has(key)) continue;
      taken.add(key); // the second finds the record of the first
      yield this.tasks[order];
    }
  }

  /** Tasks in the order of all. */
  inOrder(some: Set<Task>): Task[] {
    if (some.size === this.tasks.length) return this.tasks;
    const places = Int32Array.from(some, (task) => this.orderOf.get(task)!).sort();
    return Array.from(places, (place) => this.tasks[place]);
  }
}

const isSettled = ({ kind }: State): boolean => kind === "hit" || kind === "done";
