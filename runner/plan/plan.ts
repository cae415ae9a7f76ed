/** The state of each task: cached or to run, and why. Keys become known as the results upstream do. */
import { resolve as absolute } from "node:path";
import { type KeyParts, keyOf } from "../code/index.ts";
import type { Origin, StageRecord, Store, StoredOutput } from "../store/index.ts";
import type { Reference } from "../study/index.ts";
import { counted } from "../text/index.ts";
import { difference } from "./changes.ts";
import { Counting } from "./counting.ts";
import type { PlanEvent } from "./events.ts";
import { codesOf, keyParts, tolerantInputs } from "./key.ts";
import { Links } from "./links.ts";
import { Queue } from "./queue.ts";
import { NEVER_RAN, type State, WAITS } from "./state.ts";
import type { Task } from "./task.ts";

/** The reason of what a user wants to run again. */
const FORCED = "forced";

/** Changes that a reason names; of more, the count. */
const NAMED = 2;

/** The states of all tasks of a run, kept true as results come in. */
export class Plan {
  readonly tasks: Task[];
  readonly states = new Map<string, State>();
  private readonly store: Store;
  private readonly root: string;
  /** The reason why a task runs even if its result is stored. */
  private readonly forced: Map<string, string>;
  private readonly latest: Record<string, string>;
  private readonly byId: Map<string, Task>;
  private readonly links: Links;
  /** The tasks that would run, and those that can start: as {@link update} found it. */
  readonly queue: Queue;
  /** Tasks that wait, and of which something upstream changed since {@link advance} looked at them. */
  private readonly unsettled: Set<Task>;
  /** Tasks that would run, and whose inputs were not looked at yet. */
  private readonly unchecked = new Set<Task>();
  /** Outputs that were found whole, and hashes of files, in this turn: thousands of tasks may need one. */
  private readonly whole = new Set<StoredOutput>();
  private readonly hashes = new Map<string, string>();
  readonly counting: Counting;
  /** The keys that a shared cache was asked for: nothing counts as lost before. Undefined without one. */
  prepared?: Set<string>;
  /** The task, as the records of this run describe it. */
  run?: StageRecord["run"];
  private readonly tell: (event: PlanEvent) => void;

  /**
   * @param tasks upstream before downstream
   * @param forced ids that run even if their results are stored
   * @param latest the key each instance last had, to tell what changed
   * @param tell gets every event of the plan
   */
  constructor(
    tasks: Task[],
    store: Store,
    root: string,
    forced: Set<string>,
    latest: Record<string, string>,
    tell: (event: PlanEvent) => void = () => {},
  ) {
    this.tasks = tasks;
    this.store = store;
    this.counting = new Counting(store, root);
    this.tell = tell;
    this.root = root;
    this.forced = new Map([...forced].map((id) => [id, FORCED]));
    this.latest = latest;
    this.byId = new Map(tasks.map((task) => [task.id, task]));
    this.queue = new Queue(tasks);
    this.links = new Links(tasks);
    this.unsettled = new Set(tasks);
    for (const task of tasks) {
      this.states.set(task.id, WAITS);
      for (const file of tolerantInputs(task, root)) store.tolerant.add(file);
    }
  }

  /** The instances a task takes files from. */
  upstream(task: Task): string[] {
    return this.links.upstream(task);
  }

  private outputs(id: string): Record<string, StoredOutput> | undefined {
    const state = this.states.get(id)!;
    return state.kind === "hit" || state.kind === "done" ? state.record.outputs : undefined;
  }

  /** The ingredients of a task's key; undefined while something upstream is not known. */
  ingredients(task: Task): KeyParts | undefined {
    return keyParts(
      task,
      (id) => this.outputs(id),
      (file) => this.store.hashInput(absolute(this.root, file)),
    );
  }

  /** @param own the record of its key, if it has one that does not count */
  private reasonFor(task: Task, key: string, now: KeyParts, own: StageRecord | undefined): string {
    const forced = this.forced.get(task.id);
    if (forced) return forced;
    if (this.store.damaged.has(key)) return "its record was damaged";
    const uncounted = own && this.counting.reason(own);
    if (uncounted) return uncounted;
    const last = this.latest[task.id];
    const before = last && this.store.record(last);
    if (!before) return last ? "its result was removed" : NEVER_RAN;
    const changes = this.changes(task, before, now, true);
    const more = changes.length - NAMED;
    const rest = more > 0 ? [`and ${counted(more, "other change")}`] : [];
    return [...changes.slice(0, NAMED), ...rest].join("; ") || "its result was removed";
  }

  /** The changes of a task since a record of it. @param isBrief as {@link difference} takes it */
  changes(task: Task, before: StageRecord, now: KeyParts, isBrief = false): string[] {
    const codes = codesOf(task);
    return difference(
      before,
      now,
      (hash) => codes.get(hash) ?? this.store.codeFacts(hash),
      this.origins(task),
      isBrief,
    );
  }

  /** The producer of each file of a task's inputs; a key is "" while it is not known. */
  origins(task: Task): Record<string, Origin[]> {
    const of = ({ as: _, ...reference }: Reference): Origin => {
      if (!("id" in reference)) return reference;
      const state = this.states.get(reference.id)!;
      return { ...reference, key: "key" in state ? state.key : "" };
    };
    return Object.fromEntries(Object.entries(task.inputs).map(([name, list]) => [name, list.map(of)]));
  }

  /** Changes the state of a task. The tasks that take its files are looked at again. */
  private set(task: Task, state: State): void {
    this.queue.change(task, this.states.get(task.id)!, state);
    this.states.set(task.id, state);
    if (state.kind === "waits") this.unsettled.add(task);
    else if (state.kind === "miss") this.unchecked.add(task);
    else if (state.kind !== "running")
      for (const one of this.links.downstream(task.id))
        if (this.states.get(one.id)!.kind === "waits") this.unsettled.add(one);
  }

  /** Finds the state of a task that waits, where that can be known now. */
  private settle(task: Task, hashFile: (path: string) => string): void {
    if (this.states.get(task.id)!.kind !== "waits") return;
    const upstream = this.upstream(task);
    const broken = upstream.find((id) => ["failed", "skipped"].includes(this.states.get(id)!.kind));
    if (broken) {
      const cause = this.states.get(broken)!;
      this.set(task, { kind: "skipped", because: cause.kind === "skipped" ? cause.because : broken });
      return;
    }
    const now = keyParts(task, (id) => this.outputs(id), hashFile);
    if (!now) {
      this.states.set(task.id, { kind: "waits", for: upstream.filter((id) => !this.outputs(id)) });
      return;
    }
    const key = keyOf(now);
    const own = this.mustRun(task) ? undefined : this.store.record(key);
    const record = own && this.counting.of(task, key, own);
    this.set(
      task,
      record
        ? { kind: "hit", key, record }
        : { kind: "miss", key, reason: this.reasonFor(task, key, now, own) },
    );
  }

  /**
   * Finds the state of every task that can be known now, and returns those that can start.
   * @throws UserError for an input that is no file or folder, or cannot be read: each later turn throws it again
   */
  advance(): Task[] {
    this.update();
    return [...this.queue.ready()];
  }

  /**
   * Finds the state of every task that can be known now. Tasks whose results the store lost, and that others need,
   * run again first. A turn looks only at tasks whose state may have changed since the last one.
   * @throws UserError for an input that is no file or folder, or cannot be read: each later turn throws it again
   */
  update(): void {
    this.whole.clear();
    this.hashes.clear();
    const hashFile = (file: string) => {
      const path = absolute(this.root, file);
      const known = this.hashes.get(path) ?? this.store.hashInput(path);
      this.hashes.set(path, known);
      return known;
    };
    do {
      while (this.unsettled.size)
        // Upstream first: what one task makes known, a later one of this list sees.
        for (const task of this.queue.inOrder(this.unsettled)) {
          if (!this.unsettled.has(task)) continue;
          this.settle(task, hashFile);
          this.unsettled.delete(task);
        }
      for (const task of this.queue.inOrder(this.unchecked))
        if (this.states.get(task.id)!.kind !== "miss") this.unchecked.delete(task);
        else if (this.isPrepared(task) && !this.redoLost(task)) this.unchecked.delete(task);
    } while (this.unsettled.size);
  }

  /** Whether all that a task needs is intact in the store; tasks with other results run again first. */
  hasInputs(task: Task): boolean {
    this.whole.clear();
    return !this.redoLost(task);
  }

  /** Lets {@link advance} look again for what other processes may have made meanwhile. */
  lookAgain(): void {
    for (const [id, state] of this.states)
      if (state.kind === "miss" && !this.forced.has(id) && this.known(this.task(id), state.key))
        this.setWaiting(id);
  }

  /** The record of a task's key, if it counts. */
  known(task: Task, key: string): StageRecord | undefined {
    const record = this.store.record(key);
    return record && this.counting.of(task, key, record);
  }

  /** Whether a task would run, apart from a shared cache that may bring its result. */
  isPrepared(task: Task): boolean {
    const state = this.states.get(task.id)!;
    return state.kind === "miss" && (!this.prepared || this.prepared.has(state.key));
  }

  /** The tasks that a shared cache is to be asked for, as {@link update} found them: of two with one key the first. */
  *toAsk(): Generator<Task> {
    for (const task of this.queue.inOrder(this.unchecked)) {
      const state = this.states.get(task.id)!;
      if (state.kind === "miss" && !this.isPrepared(task) && !this.queue.isAsked(state.key)) yield task;
    }
  }

  /** Leaves a task alone while a shared cache is asked for its key. */
  ask(task: Task, key: string): void {
    this.unchecked.delete(task);
    this.queue.hold(task, key);
  }

  /** Ends {@link ask}. */
  answered(task: Task, key: string): void {
    this.queue.release(task, key);
    if (this.states.get(task.id)!.kind === "miss") this.unchecked.add(task);
  }

  /** Takes a record that a shared cache had for a task. */
  found(task: Task, record: StageRecord): void {
    const state = this.states.get(task.id)!;
    if (state.kind !== "miss" || state.key !== record.key) return; // its inputs are rebuilt meanwhile
    this.set(task, { kind: "hit", key: record.key, record });
    this.shareResult(record.key);
  }

  /** Sends back to work what a task needs and the store no longer holds whole. */
  private redoLost(task: Task): boolean {
    let lost = false;
    for (const reference of Object.values(task.inputs).flat()) {
      if (!("id" in reference)) continue;
      const state = this.states.get(reference.id)!;
      if (state.kind !== "hit" && state.kind !== "done") continue;
      const output = state.record.outputs[reference.output];
      if (this.whole.has(output)) continue;
      const fault = this.store.faultOf(output);
      if (!fault) {
        this.whole.add(output);
        continue;
      }
      this.redo(reference.id, fault);
      lost = true;
    }
    return lost;
  }

  /** Makes a known task run again, and all that depends on it wait for it. */
  redo(id: string, fault: string): void {
    const state = this.states.get(id)!;
    if (state.kind !== "hit" && state.kind !== "done") return;
    const away = this.store.isPromise(state.key);
    const reason = away ? "its files were not to be had from the shared cache" : fault;
    // The failures of a shared cache give one warning, not one per stage.
    if (!away || !this.prepared) this.tell({ kind: "lost", id, reason });
    this.set(this.task(id), { kind: "miss", key: state.key, reason });
    this.forced.set(id, reason);
    this.prepared?.delete(state.key); // what it needs in its turn is still to be asked for
    this.setBelowWaiting(id);
  }

  private setBelowWaiting(id: string): void {
    for (const task of this.links.downstream(id)) {
      const { kind } = this.states.get(task.id)!;
      // The tasks below a waiting one wait already.
      if (kind !== "running" && kind !== "waits") this.setWaiting(task.id);
    }
  }
  private setWaiting(id: string): void {
    this.set(this.task(id), WAITS);
    this.setBelowWaiting(id);
  }

  start(task: Task): { key: string; reason: string } {
    const state = this.states.get(task.id)!;
    if (state.kind !== "miss") throw new Error(`${task.id} cannot start from ${state.kind}`);
    this.set(task, { ...state, kind: "running" });
    return state;
  }
  finish(task: Task, record: StageRecord): void {
    this.forced.delete(task.id);
    this.set(task, { kind: "done", key: record.key, record });
    this.shareResult(record.key);
  }
  /** Another instance with the same key has its result now. */
  private shareResult(key: string): void {
    for (const { id } of this.queue.take(key)) {
      const state = this.states.get(id)!;
      if (state.kind === "miss" && state.key === key && !this.forced.has(id)) this.setWaiting(id);
    }
  }
  fail(task: Task, reason: string): void {
    this.set(task, { kind: "failed", reason });
  }

  /** Whether a task must run in spite of a record: forced, or because its outputs are lost. */
  mustRun(task: Task): boolean {
    return this.forced.has(task.id);
  }

  /** Whether a task must run although the store holds all it makes. */
  isForced(task: Task): boolean {
    return this.forced.get(task.id) === FORCED;
  }

  task(id: string): Task {
    return this.byId.get(id)!;
  }
}
