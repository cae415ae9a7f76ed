/** The work of a plan grows linearly with its tasks. Counts reads, since seconds depend on the machine. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256 } from "../../../runner/files/statcache.ts";
import { Plan } from "../../../runner/plan/plan.ts";
import type { Task } from "../../../runner/plan/task.ts";
import type { Point } from "../../../runner/stage.ts";
import { Store } from "../../../runner/store/store.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-linear-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** How often the plan read the inputs of a task, its name, a record, and the hash of a file. */
interface Reads {
  inputs: number;
  ids: number;
  records: number;
  files: number;
}
const NONE: Reads = { inputs: 0, ids: 0, records: 0, files: 0 };

/** A store without a disk that counts its reads. */
function storeOf(reads: Reads): Store {
  const store = new Store(join(root, "cache"));
  store.record = () => {
    reads.records++;
    return undefined;
  };
  store.hashInput = (path) => {
    reads.files++;
    return sha256(path);
  };
  store.faultOf = () => "";
  return store;
}

/** A task that counts the reads of its inputs. @param from the ids of the tasks whose output it takes */
function taskOf(id: string, from: string[], reads: Reads): Task {
  const inputs = { files: [{ file: "shared" }, ...from.map((one) => ({ id: one, output: "o" }))] };
  return {
    get id() {
      reads.ids++;
      return id;
    },
    stage: "s",
    point: {} as Point,
    get inputs() {
      reads.inputs++;
      return inputs;
    },
    with: {},
    retries: 0,
    at: () => "",
    params: { id },
    parts: {},
    many: ["files"],
    named: [],
    tolerant: [],
    outputs: { o: { path: "o.json", measured: false } },
    cpus: 1,
    codeHash: sha256("c"),
  } as Task;
}

/** Plays a whole run, one task at a time. @returns the reads, and how many tasks ran */
function play(shape: (count: number) => [string, string[]][], count: number) {
  writeFileSync(join(root, "shared"), "");
  const reads = { ...NONE };
  const tasks = shape(count).map(([id, from]) => taskOf(id, from, reads));
  const plan = new Plan(tasks, storeOf(reads), root, new Set(), {});
  plan.states.values = () => expect.unreachable("looked at the states of all tasks");
  plan.states[Symbol.iterator] = () => expect.unreachable("looked at the states of all tasks");
  let ran = 0;
  const next = (): Task | undefined => {
    plan.update();
    for (const task of plan.queue.ready()) return task;
    return undefined;
  };
  for (let task = next(); task; task = next()) {
    const { key } = plan.start(task);
    const outputs = { o: { hash: sha256(key), bytes: 1, measured: false } };
    plan.finish(task, { key, outputs } as unknown as Parameters<Plan["finish"]>[1]);
    ran++;
  }
  expect(plan.queue.settled).toBe(tasks.length);
  expect(ran).toBe(tasks.length);
  return reads;
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
test.each<[string, (count: number) => [string, string[]][]]>([
  ["beside one another", (count) => range(count).map((at) => [`t${at}`, []])],
  ["in a chain", (count) => range(count).map((at) => [`t${at}`, at ? [`t${at - 1}`] : []])],
  ["below one", (count) => range(count).map((at) => [`t${at}`, at ? ["t0"] : []])],
  [
    "in two joined matrices",
    (count) => range(count).map((at) => [`t${at}`, at < count / 2 ? [] : [`t${at - count / 2}`]]),
  ],
])("tasks %s: twice as many tasks need at most twice the reads", (_, shape) => {
  const [half, whole] = [play(shape, 100), play(shape, 200)];
  for (const kind of ["inputs", "ids", "records"] as const) {
    expect(whole[kind], kind).toBeLessThanOrEqual(2.1 * half[kind]);
    expect(whole[kind], kind).toBeLessThanOrEqual(200 * 24);
  }
  // Each turn of advance() may look at the shared file once, and no more.
  expect(whole.files).toBeLessThanOrEqual(201);
});

/** Plays the questions to a shared cache, which all are asked at once, and whose answers come one by one. */
function playAsked(count: number): Reads {
  writeFileSync(join(root, "shared"), "");
  const reads = { ...NONE };
  const tasks = range(count).map((at) => taskOf(`t${at}`, [], reads));
  const plan = new Plan(tasks, storeOf(reads), root, new Set(), {});
  plan.prepared = new Set();
  plan.update();
  const asked = [...plan.toAsk()].map(
    (task) => [task, (plan.states.get(task.id) as { key: string }).key] as const,
  );
  expect(asked).toHaveLength(count);
  for (const [task, key] of asked) plan.ask(task, key);
  for (const [task, key] of asked) {
    plan.update();
    expect([...plan.toAsk()]).toEqual([]);
    expect([...plan.queue.ready()]).toEqual([]);
    plan.prepared.add(key);
    plan.answered(task, key);
    plan.update();
    expect([...plan.queue.ready()]).toEqual([task]);
    plan.start(task);
    plan.fail(task, "none");
  }
  return reads;
}

test("twice as many questions to a shared cache need at most twice the reads", () => {
  const [half, whole] = [playAsked(100), playAsked(200)];
  for (const kind of ["inputs", "ids", "records"] as const) {
    expect(whole[kind], kind).toBeLessThanOrEqual(2.1 * half[kind]);
    expect(whole[kind], kind).toBeLessThanOrEqual(200 * 24);
  }
});

test("a first turn looks at a file once, however many tasks share it", () => {
  const reads = { ...NONE };
  const tasks = range(300).map((at) => taskOf(`t${at}`, [], reads));
  new Plan(tasks, storeOf(reads), root, new Set(), {}).advance();
  expect(reads.files).toBe(1);
});
