/** What is known, what must run, and why. Keys become known as the results upstream do. */
import { join } from "node:path";
import { type KeyParts, keyOf } from "./fingerprint.ts";
import type { Task } from "./resolve.ts";
import type { StageRecord, Store, StoredOutput } from "./store.ts";

/** The state of a task: `waits` until upstream is known, then `hit` or `miss`; `running`, `done`, `failed`, `skipped`. */
export type State =
  | { kind: "waits"; for: string[] }
  | { kind: "hit" | "done"; key: string; record: StageRecord }
  | { kind: "miss" | "running"; key: string; reason: string }
  | { kind: "failed"; reason: string }
  | { kind: "skipped"; because: string };

/** The ingredients of a task's key. @param outputs what each upstream instance made */
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
        "id" in reference ? outputs(reference.id)?.[reference.output].hash : hashFile(reference.file);
      if (hash === undefined) return undefined;
      const id = "id" in reference ? reference.id : reference.file;
      inputs[name].push(task.named.has(name) ? { hash, id } : { hash });
    }
  }
  const parts = Object.fromEntries(
    Object.entries(task.parts).map(([param, part]) => [
      param,
      { name: part.name, code: part.code.hash, params: part.params },
    ]),
  );
  return { code: task.codeHash, parts, params: task.params, inputs };
}

/** What changed between a record and a key's ingredients, in words. */
export function difference(record: StageRecord, now: KeyParts, packages: string[]): string[] {
  const changes: string[] = [];
  const compare = (name: string, before: unknown, after: unknown): void => {
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    const isMap = (value: unknown) => value !== null && typeof value === "object" && !Array.isArray(value);
    if (isMap(before) && isMap(after)) {
      const [b, a] = [before, after] as Record<string, unknown>[];
      for (const key of new Set([...Object.keys(b), ...Object.keys(a)]))
        compare(name ? `${name}.${key}` : key, b[key], a[key]);
    } else changes.push(`${name}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
  };
  if (record.code !== now.code) {
    const old = new Set(record.packages);
    const updated = packages.filter((one) => !old.has(one));
    changes.push(updated.length ? `packages changed: ${updated.join(", ")}` : "its code changed");
  }
  for (const param of new Set([...Object.keys(record.parts), ...Object.keys(now.parts)])) {
    const [before, after] = [record.parts[param], now.parts[param]];
    if (before?.name !== after?.name)
      changes.push(`${param}: ${before?.name ?? "none"} → ${after?.name ?? "none"}`);
    else {
      if (before.code !== after.code) changes.push(`the code of ${param} ${after.name} changed`);
      compare(param, before.params, after.params);
    }
  }
  compare("", record.params, now.params);
  for (const input of new Set([...Object.keys(record.inputs), ...Object.keys(now.inputs)])) {
    const [before = [], after = []] = [record.inputs[input], now.inputs[input]];
    if (JSON.stringify(before) === JSON.stringify(after)) continue;
    const hashes = (list: { hash: string }[]) => list.map(({ hash }) => hash).join();
    if (before.length !== after.length)
      changes.push(
        `the input "${input}" has ${after.length} file${after.length === 1 ? "" : "s"}, before ${before.length}`,
      );
    else
      changes.push(
        `the input "${input}" ${hashes(before) === hashes(after) ? "comes from elsewhere" : "has other content"}`,
      );
  }
  return changes;
}

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
  /** Told of an object that was found damaged or gone. */
  onFault: (message: string) => void = () => {};

  /**
   * @param tasks upstream before downstream
   * @param forced ids that run whatever the store holds
   * @param latest the key each instance last had, to tell what changed
   */
  constructor(
    tasks: Task[],
    store: Store,
    root: string,
    forced: Set<string>,
    latest: Record<string, string>,
  ) {
    this.tasks = tasks;
    this.store = store;
    this.root = root;
    this.forced = new Map([...forced].map((id) => [id, "forced"]));
    this.latest = latest;
    this.byId = new Map(tasks.map((task) => [task.id, task]));
    for (const task of tasks) this.states.set(task.id, { kind: "waits", for: [] });
  }

  /** The instances a task takes files from. */
  upstream(task: Task): string[] {
    return [
      ...new Set(
        Object.values(task.inputs).flatMap((list) => list.flatMap((one) => ("id" in one ? [one.id] : []))),
      ),
    ];
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
      (file) => this.store.hashInput(join(this.root, file)),
    );
  }

  private reasonFor(task: Task, now: KeyParts): string {
    const forced = this.forced.get(task.id);
    if (forced) return forced;
    const before = this.latest[task.id] && this.store.record(this.latest[task.id]);
    if (!before) return "never ran";
    return difference(before, now, task.code?.packages ?? []).join("; ") || "its result was removed";
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
      const record = this.forced.has(task.id) ? undefined : this.store.record(key);
      this.states.set(
        task.id,
        record ? { kind: "hit", key, record } : { kind: "miss", key, reason: this.reasonFor(task, now) },
      );
    }
    let lost = false;
    for (const task of this.tasks)
      if (this.states.get(task.id)!.kind === "miss") lost = this.redoLost(task) || lost;
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

  /** Sends back to work what a task needs and the store no longer holds whole. */
  private redoLost(task: Task): boolean {
    let lost = false;
    for (const reference of Object.values(task.inputs).flat()) {
      if (!("id" in reference)) continue;
      const state = this.states.get(reference.id)!;
      if (state.kind !== "hit" && state.kind !== "done") continue;
      const fault = this.store.faultOf(state.record.outputs[reference.output]);
      if (!fault) continue;
      this.redo(reference.id, fault);
      lost = true;
    }
    return lost;
  }

  /** Makes a known task run again, and all that depends on it wait for it. */
  redo(id: string, fault: string): void {
    const state = this.states.get(id)!;
    if (state.kind !== "hit" && state.kind !== "done") return;
    this.onFault(`cache: ${fault}; ${id} runs again.`);
    this.states.set(id, { kind: "miss", key: state.key, reason: fault });
    this.forced.set(id, fault);
    for (const task of this.tasks)
      if (this.upstream(task).includes(id) && this.states.get(task.id)!.kind !== "running")
        this.setWaiting(task.id);
  }

  private setWaiting(id: string): void {
    this.states.set(id, { kind: "waits", for: [] });
    for (const task of this.tasks)
      if (this.upstream(task).includes(id) && this.states.get(task.id)!.kind !== "running")
        this.setWaiting(task.id);
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
    // Another instance with the same key has its result now.
    for (const [id, state] of this.states)
      if (state.kind === "miss" && state.key === record.key && !this.forced.has(id)) this.setWaiting(id);
  }
  fail(task: Task, reason: string): void {
    this.states.set(task.id, { kind: "failed", reason });
  }

  /** Whether a forced task must run although a record stands. */
  isForced(task: Task): boolean {
    return this.forced.has(task.id);
  }

  task(id: string): Task {
    return this.byId.get(id)!;
  }
}
