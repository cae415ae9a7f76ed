/** Files of the store that somebody else wrote: none of them moves, reads or removes anything outside the store. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyOf } from "../../../runner/code/bundle.ts";
import { Memo } from "../../../runner/files/memo.ts";
import { StatCache, sha256 } from "../../../runner/files/statcache.ts";
import { verifyStore } from "../../../runner/inspect/verify.ts";
import { Plan } from "../../../runner/plan/plan.ts";
import type { Task } from "../../../runner/plan/task.ts";
import type { StoreEvent } from "../../../runner/store/events.ts";
import { garbage, remove } from "../../../runner/store/gc.ts";
import { type StageRecord, written } from "../../../runner/store/record.ts";
import { Store } from "../../../runner/store/store.ts";

let root: string;
let store: Store;
let told: StoreEvent[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-forged-"));
  told = [];
  store = new Store(join(root, "cache"), (event) => told.push(event));
  write("victim/diary.json", "{}");
  write(`victim/${"a".repeat(64)}.json`, "{}");
  write("victim/thesis.txt", "precious");
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
/** All files of the victim's folder. */
const victims = () =>
  Object.fromEntries(
    readdirSync(join(root, "victim")).map((name) => [name, readFileSync(join(root, "victim", name), "utf8")]),
  );
const UNTOUCHED = { "diary.json": "{}", [`${"a".repeat(64)}.json`]: "{}", "thesis.txt": "precious" };

const task = {
  id: "a",
  stage: "a",
  outputs: { o: { path: "o/", measured: false } },
  inputs: {},
} as unknown as Task;
const INGREDIENTS = { code: "c".repeat(64), parts: {}, params: {}, inputs: {} };
const KEY = keyOf(INGREDIENTS);
const planOf = (latest: Record<string, string> = {}) =>
  new Plan(
    [
      {
        ...task,
        codeHash: INGREDIENTS.code,
        params: {},
        parts: {},
        named: [],
        tolerant: [],
        at: () => "",
      } as unknown as Task,
    ],
    store,
    root,
    new Set(),
    latest,
  );
const listing = (...paths: string[]) => {
  const files = paths.map((path): [string, string] => [path, sha256("x")]);
  return { hash: sha256(JSON.stringify(files)), bytes: 1, measured: false, files };
};
const record = (more: object = {}): StageRecord =>
  ({
    ...INGREDIENTS,
    key: KEY,
    id: "a",
    stage: "a",
    packages: [],
    outputs: { o: listing("x") },
    notes: {},
    machine: { host: "", node: "", cpu: "", cores: 1 },
    ended: "",
    seconds: 0,
    peakMegabytes: 0,
    ...more,
  }) as StageRecord;

/** Every command's way through the store, everything in it being old enough to go. */
async function useAll(): Promise<void> {
  const before = new Date(Date.now() - 400 * 24 * 3600 * 1000);
  for (const entry of readdirSync(join(root, "cache"), { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), before, before);
  const plan = planOf(store.latest("p"));
  plan.advance();
  plan.lookAgain();
  store.sweep();
  await verifyStore(store);
  remove(garbage(store, root, [], { olderThan: 0, keepRuns: 0 }), store, root);
}

describe("a forged record counts for nothing, and moves nothing, when", () => {
  test.each<[string, object]>([
    [
      "an output's hash is a path",
      { outputs: { o: { ...listing("x"), hash: "../../../victim/thesis.txt" } } },
    ],
    ["it has one output more", { outputs: { o: listing("x"), more: listing("y") } }],
    ["it lacks one", { outputs: {} }],
    [
      "a file is in the place of a folder",
      { outputs: { o: { hash: sha256("x"), bytes: 1, measured: false } } },
    ],
    ["an output is called measured that is none", { outputs: { o: { ...listing("x"), measured: true } } }],
    ["a path leads up", { outputs: { o: listing("../../victim/thesis.txt") } }],
    ["a path is absolute", { outputs: { o: listing("/etc/passwd") } }],
    ["a path holds a NUL", { outputs: { o: listing("a\0b") } }],
    ["a path is empty", { outputs: { o: listing("") } }],
    ["a name is a dot", { outputs: { o: listing("a/./b") } }],
    ["a name is too long", { outputs: { o: listing("n".repeat(256)) } }],
    ["a path is too long", { outputs: { o: listing("n/".repeat(1024) + "n") } }],
    ["a name is half a character", { outputs: { o: listing("\ud800") } }],
    ["a path is there twice", { outputs: { o: listing("a", "a") } }],
    ["a path is below a file", { outputs: { o: listing("a", "a-b", "a/b/c") } }],
    ["the paths are out of order", { outputs: { o: listing("b", "a") } }],
    ["a listing has another hash", { outputs: { o: { ...listing("a"), files: listing("b").files } } }],
    [
      "a file's hash is a path",
      { outputs: { o: { ...listing("x"), files: [["x", "../../../victim/thesis.txt"]] } } },
    ],
    ["a size is below zero", { outputs: { o: { ...listing("x"), bytes: -1 } } }],
    ["its params are those of another key", { params: { n: 2 } }],
    ["its outputs are none", { outputs: null }],
    ["its inputs are text", { inputs: "x" }],
    ["who signed it is no key", { by: "\u001b[2J" }],
  ])("%s", async (_, forged) => {
    write(`cache/records/${KEY}.json`, written(record(forged)));
    const plan = planOf();
    plan.advance();
    expect(plan.states.get("a")).toMatchObject({ kind: "miss" });
    expect(told).toMatchObject([{ kind: "quarantined", key: KEY }]);
    write(`cache/records/${KEY}.json`, written(record(forged)));
    write(`cache/promised/${KEY}.json`, written(record(forged)));
    await useAll();
    expect(victims()).toEqual(UNTOUCHED);
  });

  test("nothing is wrong with it: then it does count", () => {
    write(`cache/records/${KEY}.json`, written(record()));
    const plan = planOf();
    plan.advance();
    expect(plan.states.get("a")).toMatchObject({ kind: "hit" });
  });
});

test("a hash that is none has no path", () => {
  for (const hash of [
    "",
    "../../victim/thesis.txt",
    "A".repeat(64),
    "a".repeat(63),
    `${"a".repeat(64)}/..`,
    "a\n",
  ]) {
    expect(() => store.objectPath(hash)).toThrow("is no sha256");
    expect(() => store.recordPath(hash)).toThrow("is no sha256");
    expect(() => store.logPath(hash)).toThrow("is no sha256");
    expect(() => store.keepCode(hash, { packages: [], outline: {} })).toThrow("is no sha256");
    expect(store.record(hash)).toBeUndefined();
    expect(store.codeFacts(hash)).toBeUndefined();
  }
});

test("the keys of the last run are keys, or left out", async () => {
  for (const text of ['{"a":"../../victim/diary","b":7,"c":null}', "null", "[]", "{", '"x"']) {
    write("cache/latest/p.json", text);
    expect(store.latest("p")).toEqual({});
    await useAll();
    expect(victims()).toEqual(UNTOUCHED);
  }
});

test("remembered runs are checked before they are used", async () => {
  for (const content of [
    "null",
    "[1]",
    "no JSON",
    JSON.stringify({ profile: "p", whole: true, keys: ["../../victim/diary"], path: "/etc" }),
    JSON.stringify({ profile: {}, whole: true, keys: [KEY] }),
    JSON.stringify({ profile: "p", whole: true, keys: 7 }),
  ])
    write(`cache/runs/${sha256(content)}.json`, content);
  mkdirSync(join(root, `cache/runs/${"b".repeat(64)}.json`));
  expect(store.runs()).toEqual([]);
  await useAll();
  expect(victims()).toEqual(UNTOUCHED);
});

test("a stat cache or a memo of another shape is none", () => {
  for (const text of [
    "null",
    "7",
    "[]",
    '{"x":null}',
    '{"x":["a","../../b"]}',
    '{"x":"y"}',
    '{"__proto__":["a"]}',
  ]) {
    write("stat.json", text.replace('"x"', JSON.stringify(join(root, "victim/thesis.txt"))));
    expect(new StatCache(join(root, "stat.json")).hash(join(root, "victim/thesis.txt"))).toBe(
      sha256("precious"),
    );
    write("memo.json", text.replace('"x"', JSON.stringify(sha256('"asked"'))));
    const memo = new Memo(join(root, "memo.json"));
    expect(memo.get("asked")).toBeUndefined();
    memo.set("asked", 1);
    memo.save();
    expect(new Memo(join(root, "memo.json")).get("asked")).toBe(1);
  }
});

describe("links, pipes and folders in the place of the store's files", () => {
  const hash = sha256("precious");
  const object = `cache/objects/${hash.slice(0, 2)}/${hash}`;
  const fifo = (path: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    execFileSync("mkfifo", [join(root, path)]);
  };
  const link = (path: string, to: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(join(root, to), join(root, path));
  };

  test("an object that is a link is not whole, though its content would be", async () => {
    link(object, "victim/thesis.txt");
    expect(store.pathOf(hash)).toBeUndefined();
    link(object, "victim/thesis.txt");
    expect((await verifyStore(store)).corrupt).toHaveLength(1);
    expect(victims()).toEqual(UNTOUCHED);
  });

  test.each([
    "objects",
    "records",
    "promised",
    "runs",
    "latest",
    "code",
  ])("a pipe among %s hangs nobody", async (at) => {
    const name = at === "objects" ? `${hash.slice(0, 2)}/${hash}` : `${at === "latest" ? "p" : KEY}.json`;
    fifo(`cache/${at}/${name}`);
    expect(store.record(KEY)).toBeUndefined();
    expect(store.codeFacts(KEY)).toBeUndefined();
    expect(store.pathOf(hash)).toBeUndefined();
    await useAll();
  });

  test("a record that is a folder or a link is quarantined", () => {
    for (const plant of [
      () => mkdirSync(join(root, `cache/records/${KEY}.json`), { recursive: true }),
      () => link(`cache/records/${KEY}.json`, "victim/diary.json"),
    ]) {
      plant();
      expect(store.record(KEY)).toBeUndefined();
      expect(existsSync(store.recordPath(KEY))).toBe(false);
    }
    expect(victims()).toEqual(UNTOUCHED);
  });

  test("a lock that is a folder, a pipe or a link ends the wait with a line, and is nobody's to remove", async () => {
    for (const plant of [
      (path: string) => mkdirSync(join(root, path), { recursive: true }),
      fifo,
      (path: string) => link(path, "nowhere"),
    ]) {
      const path = `cache/locks/${KEY}`;
      plant(path);
      await expect(store.lock(KEY, () => {})).rejects.toThrow(`${join(root, path)}: is no regular file`);
      rmSync(join(root, path), { recursive: true });
    }
  });

  test("a lock whose owner is no process is a dead one's", async () => {
    for (const text of [
      "null",
      "7",
      "{}",
      '{"pid":0,"started":"","host":""}',
      '{"pid":"1","started":1,"host":2}',
    ]) {
      write(`cache/locks/${KEY}`, text);
      (await store.lock(KEY, () => {}))();
    }
  });

  test("links are not followed when the store is swept or collected, and files of others stay", async () => {
    const mine = [
      "code/notes.json",
      "logs/notes.log",
      "locks/notes",
      "bad/notes",
      "scratch/notes",
      "objects/ab/notes",
      "records/notes.json",
      "runs/notes.json",
      "slurm/notes",
    ];
    for (const path of mine) write(`cache/${path}`, "my own");
    link(`cache/scratch/x.1.scratch-4194399-7-${hostname()}/in`, "victim");
    link(`cache/bad/${KEY}-1`, "victim");
    link(`cache/downloads/part`, "victim");
    link(`cache/logs/${KEY}.log`, "victim/thesis.txt");
    await useAll();
    expect(victims()).toEqual(UNTOUCHED);
    for (const path of mine) expect(existsSync(join(root, "cache", path)), path).toBe(true);
    expect(readdirSync(join(root, "cache/scratch"))).toEqual(["notes"]);
  });
});
