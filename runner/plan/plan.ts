/** What is known, what must run, and why. Keys become known as the results upstream do. */
import { resolve as absolute } from "node:path";
import { type CodeFacts, type KeyParts, keyOf, keyOfRecord } from "../code/index.ts";
import { isUserError, UserError } from "../stage.ts";
import {
  type Origin,
  outputsFault,
  type StageRecord,
  type Store,
  type StoredOutput,
  trustedKeys,
} from "../store/index.ts";
import type { Reference } from "../study/index.ts";
import { oneLine, withoutSecrets } from "../text/index.ts";
import { difference } from "./changes.ts";
import type { PlanEvent } from "./events.ts";
import type { Task } from "./tasks.ts";

/** The state of a task: `waits` until upstream is known, then `hit` or `miss`; `running`, `done`, `failed`, `skipped`. */
export type State =
  | { kind: "waits"; for: string[] }
  | { kind: "hit" | "done"; key: string; record: StageRecord }
  | { kind: "miss" | "running"; key: string; reason: string }
  | { kind: "failed"; reason: string }
  | { kind: "skipped"; because: string };

/** The hash of a file of the project that a task takes. @throws UserError that names the input */
function hashOfFile(task: Task, input: string, file: string, hashFile: (path: string) => string): string {
  try {
    return hashFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!isUserError(error) && (code === undefined || code === "EIO")) throw error;
    throw new UserError(
      oneLine(
        `${task.at("inputs", input)} ${task.stage}.inputs.${input}: ` +
          (isUserError(error) ? message : `${file} cannot be read (${message}).`),
      ),
    );
  }
}

/**
 * The ingredients of a task's key.
 * @param outputs what each upstream instance made
 * @throws UserError for an input that is no file or folder, or cannot be read
 */
export function keyParts(
  task: Task,
  outputs: (id: string) => Record<string, StoredOutput> | undefined,
  hashFile: (path: string) => string,
): KeyParts | undefined {
  const inputs: KeyParts["inputs"] = {};
  for (const [name, references] of Object.entries(task.inputs)) {
    inputs[name] = [];
    for (const reference of references) {
      const hash =
        "id" in reference
          ? outputs(reference.id)?.[reference.output].hash
          : hashOfFile(task, name, reference.file, hashFile);
      if (hash === undefined) return undefined;
      const id = reference.as ?? ("id" in reference ? reference.id : reference.file);
      inputs[name].push(reference.as !== undefined || task.named.has(name) ? { hash, id } : { hash });
    }
  }
  return { ...partsOf(task), inputs };
}

/** The absolute paths of a task's inputs in which it passes over what cannot be read. */
export const tolerantInputs = (task: Task, root: string): string[] =>
  [...(task.tolerant ?? [])].flatMap((name) =>
    (task.inputs[name] ?? []).flatMap((one) => ("file" in one ? [absolute(root, one.file)] : [])),
  );

/** The ingredients of a task's key that are its own; they go into a record, and so tell no secret of an address. */
export function partsOf(task: Task): Omit<KeyParts, "inputs"> {
  const parts = Object.fromEntries(
    Object.entries(task.parts).map(([param, part]) => [
      param,
      { name: part.name, code: part.code.hash, params: part.params },
    ]),
  );
  const own = { parts, params: task.params, ...(task.env ? { env: task.env } : {}) };
  return { code: task.codeHash, ...withoutSecrets(own) };
}

/** What is known of each code of a task, by its hash. */
export function codesOf(task: Task): Map<string, CodeFacts> {
  const own = task.code ?? { packages: [], outline: {}, command: task.run };
  const codes = Object.values(task.parts).map(({ code }): [string, CodeFacts] => [code.hash, factsOf(code)]);
  return new Map([[task.codeHash, factsOf(own)], ...codes]);
}

const factsOf = ({ packages, outline, command }: CodeFacts): CodeFacts => ({ packages, outline, command });

/** The reason of what a user wants to run again. */
const FORCED = "forced";

/** The states of all tasks of a run, kept true as results come in. */
export class Plan {
  readonly tasks: Task[];
  readonly states = new Map<string, State>();
  private readonly store: Store;
  private readonly root: string;
  /** Why a task runs whatever the store holds. */
  private readonly forced: Map<string, string>;
  private readonly latest: Record<string, string>;
  private readonly byId: Map<string, Task>;
  /** The ids of the instances that each task takes files from, and the tasks that take files from each. */
  private readonly above: Map<string, string[]>;
  private readonly below = new Map<string, Task[]>();
  /** Which outputs were found whole in this turn: thousands of tasks may need one. */
  private readonly whole = new Set<StoredOutput>();
  /** Whether a record does not count that read or wrote what its stage does not declare. */
  strict = false;
  /** The keys that a shared cache was asked for: nothing counts as lost before. Undefined without one. */
  prepared?: Set<string>;
  /** The keys whose results count. */
  private trusted?: Set<string>;
  /** What the records of this run say of it. */
  run?: StageRecord["run"];
  private readonly tell: (event: PlanEvent) => void;

  /**
   * @param tasks upstream before downstream
   * @param forced ids that run whatever the store holds
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
    this.tell = tell;
    this.root = root;
    this.forced = new Map([...forced].map((id) => [id, FORCED]));
    this.latest = latest;
    this.byId = new Map(tasks.map((task) => [task.id, task]));
    for (const task of tasks) {
      this.states.set(task.id, { kind: "waits", for: [] });
      for (const file of tolerantInputs(task, root)) store.tolerant.add(file);
    }
    const upstream = ({ inputs }: Task) =>
      Object.values(inputs).flatMap((list) => list.flatMap((one) => ("id" in one ? [one.id] : [])));
    this.above = new Map(tasks.map((task) => [task.id, [...new Set(upstream(task))]]));
    for (const task of tasks)
      for (const id of this.upstream(task)) {
        const found = this.below.get(id);
        if (found) found.push(task);
        else this.below.set(id, [task]);
      }
  }

  /** The instances a task takes files from. */
  upstream(task: Task): string[] {
    return this.above.get(task.id)!;
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

  private reasonFor(task: Task, key: string, now: KeyParts): string {
    const forced = this.forced.get(task.id);
    if (forced) return forced;
    if (this.store.damaged.has(key)) return "its record was damaged";
    const own = this.store.record(key);
    if (own && !this.trusts(own)) return "trusted-keys no longer lists the signer of its result";
    if (this.strict && own) return "it read or wrote what it does not declare";
    const last = this.latest[task.id];
    const before = last && this.store.record(last);
    if (!before) return last ? "its result was removed" : "never ran";
    return this.changes(task, before, now).join("; ") || "its result was removed";
  }

  /** What changed in a task since a record of it. */
  changes(task: Task, before: StageRecord, now: KeyParts): string[] {
    const codes = codesOf(task);
    return difference(
      before,
      now,
      (hash) => codes.get(hash) ?? this.store.codeFacts(hash),
      this.origins(task),
    );
  }

  /** Who makes each file of a task's inputs; a key is "" while it is not known. */
  origins(task: Task): Record<string, Origin[]> {
    const of = ({ as: _, ...reference }: Reference): Origin => {
      if (!("id" in reference)) return reference;
      const state = this.states.get(reference.id)!;
      return { ...reference, key: "key" in state ? state.key : "" };
    };
    return Object.fromEntries(Object.entries(task.inputs).map(([name, list]) => [name, list.map(of)]));
  }

  /**
   * Finds the state of every task that can be known now, and returns those that can start: not known, and
   * all they need whole in the store. What they need and the store lost runs again first.
   */
  advance(): Task[] {
    for (const task of this.tasks) {
      const state = this.states.get(task.id)!;
      if (state.kind !== "waits") continue;
      const upstream = this.upstream(task);
      const broken = upstream.find((id) => ["failed", "skipped"].includes(this.states.get(id)!.kind));
      if (broken) {
        const cause = this.states.get(broken)!;
        this.states.set(task.id, {
          kind: "skipped",
          because: cause.kind === "skipped" ? cause.because : broken,
        });
        continue;
      }
      const now = this.ingredients(task);
      if (!now) {
        const open = upstream.filter((id) => !this.outputs(id));
        this.states.set(task.id, { kind: "waits", for: open });
        continue;
      }
      const key = keyOf(now);
      const record = this.mustRun(task) ? undefined : this.known(task, key);
      this.states.set(
        task.id,
        record ? { kind: "hit", key, record } : { kind: "miss", key, reason: this.reasonFor(task, key, now) },
      );
    }
    let lost = false;
    this.whole.clear();
    for (const task of this.tasks) if (this.isPrepared(task)) lost = this.redoLost(task) || lost;
    if (lost) return this.advance();
    const running = new Set(
      [...this.states.values()].flatMap((state) => (state.kind === "running" ? [state.key] : [])),
    );
    const ready: Task[] = [];
    for (const task of this.tasks) {
      const state = this.states.get(task.id)!;
      if (state.kind !== "miss" || running.has(state.key)) continue;
      running.add(state.key); // of two with one key, the second finds the first one's record
      ready.push(task);
    }
    return ready;
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
    if (!record) return undefined;
    const fault = keyOfRecord(record) === key ? outputsFault(record, task.outputs) : "is of another key";
    if (fault) {
      this.store.reject(key, fault);
      return undefined;
    }
    return (this.strict && record.notes.undeclared) || !this.trusts(record) ? undefined : record;
  }

  /** Whether a record was made here, or by someone whose key the project still trusts. */
  private trusts({ by }: StageRecord): boolean {
    if (by === undefined) return true;
    this.trusted ??= trustedKeys(this.root);
    return this.trusted.has(by);
  }

  /** Whether a task would run, whatever a shared cache may still bring. */
  isPrepared(task: Task): boolean {
    const state = this.states.get(task.id)!;
    return state.kind === "miss" && (!this.prepared || this.prepared.has(state.key));
  }

  /** Takes a record that a shared cache had for a task. */
  found(task: Task, record: StageRecord): void {
    const state = this.states.get(task.id)!;
    if (state.kind !== "miss" || state.key !== record.key) return; // what it needs is made anew meanwhile
    this.states.set(task.id, { kind: "hit", key: record.key, record });
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
    // Of a shared cache's troubles there is one warning, not one a stage.
    if (!away || !this.prepared) this.tell({ kind: "lost", id, reason });
    this.states.set(id, { kind: "miss", key: state.key, reason });
    this.forced.set(id, reason);
    this.prepared?.delete(state.key); // what it needs in its turn is still to be asked for
    this.setBelowWaiting(id);
  }

  private setBelowWaiting(id: string): void {
    for (const task of this.below.get(id) ?? []) {
      const { kind } = this.states.get(task.id)!;
      // What is below one that waits does so already.
      if (kind !== "running" && kind !== "waits") this.setWaiting(task.id);
    }
  }
  private setWaiting(id: string): void {
    this.states.set(id, { kind: "waits", for: [] });
    this.setBelowWaiting(id);
  }

  start(task: Task): { key: string; reason: string } {
    const state = this.states.get(task.id)!;
    if (state.kind !== "miss") throw new Error(`${task.id} cannot start from ${state.kind}`);
    this.states.set(task.id, { ...state, kind: "running" });
    return state;
  }
  finish(task: Task, record: StageRecord): void {
    this.forced.delete(task.id);
    this.states.set(task.id, { kind: "done", key: record.key, record });
    this.shareResult(record.key);
  }
  /** Another instance with the same key has its result now. */
  private shareResult(key: string): void {
    for (const [id, state] of this.states)
      if (state.kind === "miss" && state.key === key && !this.forced.has(id)) this.setWaiting(id);
  }
  fail(task: Task, reason: string): void {
    this.states.set(task.id, { kind: "failed", reason });
  }

  /** Whether a task must run whatever record there is: forced, or because what it made is lost. */
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
