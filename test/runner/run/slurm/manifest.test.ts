/** The instructions of a job: tasks and work as files; equal content has equal names. */
import { existsSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { keyOf } from "../../../../runner/code/bundle.ts";
import { keyParts } from "../../../../runner/plan/key.ts";
import {
  folderOfArray,
  readManifest,
  readPlan,
  sweep,
  writeManifest,
  writePlan,
} from "../../../../runner/run/slurm/manifest.ts";
import { recipesOf } from "../../../../runner/run/slurm/recipe.ts";
import { Store } from "../../../../runner/store/store.ts";
import { task } from "./tasks.ts";

const root = mkdtempSync(join(tmpdir(), "deephash-manifest-"));
let store: Store;
beforeEach(() => {
  store = new Store(mkdtempSync(join(root, "cache-")));
});
afterAll(() => rmSync(root, { recursive: true }));

const noFile = () => "f";

test("tasks come back as they were, for their keys", () => {
  const part = {
    name: "p",
    params: { m: 1 },
    code: {
      hash: "h",
      bundle: "b.mjs",
      imports: [],
      packages: ["x@1"],
      files: [],
      outline: {},
      definition: {},
    },
  };
  const tasks = [
    task("a"),
    task("b", ["a"], {
      parts: { loss: part },
      named: ["i"],
      many: ["i"],
      tolerant: ["i"],
      timeout: 5,
      retries: 2,
    }),
    task("c", [], { code: undefined, run: "echo" }),
  ];
  const recipes = recipesOf(tasks, noFile);
  const name = writePlan(store, { root, tasks, recipes });
  const back = readPlan(store, name);
  expect(back.root).toBe(root);
  expect(back.recipes).toEqual(recipes);
  const outputs = () => ({ o: { hash: "o", bytes: 1, measured: false } });
  for (const [at, one] of back.tasks.entries()) {
    expect(keyOf(keyParts(one, outputs, noFile)!)).toBe(keyOf(keyParts(tasks[at], outputs, noFile)!));
    const { at: _, ...before } = tasks[at];
    expect(one).toEqual({ ...before, at: expect.any(Function) });
    for (const map of ["params", "inputs", "outputs", "point"] as const)
      expect(JSON.stringify(one[map])).toBe(JSON.stringify(before[map])); // in the same order, too
  }
  expect(writePlan(store, { root, tasks, recipes })).toBe(name);
});

test("a recipe changes with what it is made from, however far upstream, and with nothing else", () => {
  const recipe = (first: object, second = {}) =>
    recipesOf([task("a", [], first), task("b", ["a"], second)], noFile).get("b");
  expect(recipe({})).toBe(recipe({ publish: "reports", timeout: 9, retries: 3, cpus: 2 }));
  expect(recipe({})).not.toBe(recipe({ codeHash: "d" }));
  expect(recipe({})).not.toBe(recipe({ params: { x: 1 } }));
  expect(recipe({})).not.toBe(recipe({}, { params: { x: 1 } }));
  const file = (hash: string) =>
    recipesOf([task("a", [], { inputs: { i: [{ file: "x" }] } })], () => hash).get("a");
  expect(file("1")).not.toBe(file("2"));
});

test("a job's name is that of its work", () => {
  const manifest = {
    profile: "p",
    plan: `plan-${"1".repeat(16)}.json`,
    elements: { 0: { r: "a" } },
    forced: [],
    keepGoing: false,
    dependency: "",
  };
  const name = writeManifest(store, "train", manifest);
  expect(name).toMatch(/^train\.[0-9a-f]{16}$/);
  expect(writeManifest(store, "train", { ...manifest })).toBe(name);
  expect(writeManifest(store, "train", { ...manifest, dependency: "afterok:3" })).not.toBe(name);
  expect(readManifest(store, name)).toEqual(manifest);
  for (const other of ["train.0123456789abcdef", "train", "../train.0123456789abcdef"])
    expect(readManifest(store, other)).toBeUndefined();
});

test("what old jobs left is removed, unless the job is there still", () => {
  const manifest = {
    profile: "p",
    plan: `plan-${"1".repeat(16)}.json`,
    elements: {},
    forced: [],
    keepGoing: false,
    dependency: "",
  };
  const plans = [task("a"), task("b")].map((one) =>
    writePlan(store, { root, tasks: [one], recipes: recipesOf([one], noFile) }),
  );
  const [old, waiting, fresh] = ["old", "waiting", "fresh"].map((stage, at) =>
    writeManifest(store, stage, { ...manifest, plan: plans[at % 2] }),
  );
  const long = new Date(Date.now() - 40 * 24 * 3600 * 1000);
  for (const name of [old, waiting, ...plans]) utimesSync(folderOfArray(store, name), long, long);
  sweep(store, new Set([waiting]));
  expect([old, waiting, fresh].map((name) => existsSync(folderOfArray(store, name)))).toEqual([
    false,
    true,
    true,
  ]);
});
