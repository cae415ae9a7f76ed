import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { gcCommand } from "../../../runner/cli/commands/gc.ts";
import { sha256 } from "../../../runner/files/statcache.ts";
import { type GcOptions, garbage, remove } from "../../../runner/store/gc.ts";
import { Store } from "../../../runner/store/store.ts";

const DAY = 24 * 3600 * 1000;

let root: string;
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-gc-"));
  store = new Store(join(root, "cache"));
});
afterEach(() => rmSync(root, { recursive: true }));

function age(path: string, days: number): void {
  const then = new Date(Date.now() - days * DAY);
  utimesSync(path, then, then);
}

/** Keeps a record that is so many days old, with one output of this content. @returns its key */
function made(id: string, content: string, days = 0, from: string[] = []): string {
  const key = sha256(id);
  const path = join(store.scratch(key), "o");
  writeFileSync(path, content);
  store.keepRecord({
    key,
    id,
    stage: id,
    code: "",
    packages: [],
    parts: {},
    params: {},
    inputs: { i: from.map((one) => ({ hash: sha256(one) })) },
    outputs: { o: store.keepOutput(path, false) },
    notes: {},
    machine: { host: "", node: "", cpu: "", cores: 1 },
    ended: "",
    seconds: 0,
    peakMegabytes: 0,
  });
  age(store.recordPath(key), days);
  mkdirSync(join(root, "cache/logs"), { recursive: true });
  writeFileSync(store.logPath(key), "log");
  return key;
}

const collect = (options: Partial<GcOptions> = {}, reports: string[] = []) => {
  const found = garbage(store, root, reports, { keepRuns: 1, olderThan: 30 * DAY, ...options });
  remove(found, store, root);
  return found;
};
const left = () =>
  store
    .keys()
    .map((key) => store.record(key)!.id)
    .sort();

test("old results are removed, with their objects and logs; younger ones stay", () => {
  const old = made("old", "1", 31);
  made("young", "2", 29);
  const found = collect();
  expect(left()).toEqual(["young"]);
  expect(store.objects()).toEqual([sha256("2")]);
  expect(existsSync(store.logPath(old))).toBe(false);
  expect(found.map(({ kind }) => kind)).toEqual(["record", "object", "log"]);
  expect(found.find(({ kind }) => kind === "object")!.bytes).toBe(1);
});

test("an object stays as long as one record names it", () => {
  made("old", "same", 31);
  made("young", "same", 1);
  expect(collect().map(({ kind }) => kind)).toEqual(["record", "log"]);
  expect(store.objects()).toEqual([sha256("same")]);
});

test("objects that no record names are garbage, however young", () => {
  rmSync(store.recordPath(made("killed", "x")));
  expect(collect().map(({ kind }) => kind)).toEqual(["object"]);
  expect(store.objects()).toEqual([]);
});

test("the outline of a code is removed with the last record of it", () => {
  made("old", "1", 31);
  store.keepCode("c".repeat(64), { packages: [], outline: {} });
  expect(collect().map(({ kind }) => kind)).toEqual(["record", "object", "code", "log"]);
});

test("a checkpoint is removed once its stage has a record, or when it is old; a person's file stays", () => {
  const done = made("done", "1");
  const [old, young] = [sha256("old"), sha256("young")];
  for (const key of [done, old, young]) {
    mkdirSync(store.checkpoint(key), { recursive: true });
    writeFileSync(join(store.checkpoint(key), "state"), "12345");
  }
  const own = join(root, "cache/checkpoints/notes");
  mkdirSync(own);
  age(store.checkpoint(old), 31);
  age(own, 31);
  const found = collect().filter(({ kind }) => kind === "checkpoint");
  expect(found.map(({ name, bytes }) => [name, bytes]).sort()).toEqual(
    [
      [done, 5],
      [old, 5],
    ].sort(),
  );
  expect([done, old, young].map((key) => existsSync(store.checkpoint(key)))).toEqual([false, false, true]);
  expect(existsSync(own)).toBe(true);
});

test("by size, the oldest go first, until the rest fits", () => {
  made("a", "x".repeat(100), 3);
  made("b", "y".repeat(100), 2);
  made("c", "z".repeat(100), 1);
  collect({ olderThan: undefined, maxBytes: 200 });
  expect(left()).toEqual(["b", "c"]);
  collect({ olderThan: undefined, maxBytes: 100 });
  expect(left()).toEqual(["c"]);
});

test("the results of the last runs of each profile stay, at any age and size", () => {
  const keys = ["a", "b", "c", "d"].map((id, index) => made(id, id, 100 - index));
  const run = (profile: string, all: string[], days: number, whole = true) => {
    store.keepRun(profile, Object.fromEntries(all.map((key) => [key, key])), whole);
    const { path } = store
      .runs()
      .find((one) => one.profile === profile && one.keys.join() === [...all].sort().join())!;
    age(path, days);
  };
  run("one", [keys[0]], 90);
  run("one", [keys[1]], 80);
  run("two", [keys[2]], 95);
  run("one", [keys[3]], 70, false); // it did not come to its end, and so does not count
  expect(collect({ keepRuns: 1, maxBytes: 0 }).map(({ kind }) => kind)).toEqual([
    "record",
    "object",
    "log",
    "run",
  ]);
  expect(left()).toEqual(["b", "c", "d"]);
});

test("a run that ended alike makes what it used young again", () => {
  const key = made("a", "a", 100);
  store.keepRun("one", { a: key }, true);
  age(store.runs()[0].path, 90);
  store.keepRun("one", { a: key }, true);
  expect(store.runs()).toHaveLength(1);
  expect(collect({ keepRuns: 0 }).map(({ kind }) => kind)).toEqual(["run"]);
  expect(left()).toEqual(["a"]);
});

test("what a store remembers of before there were runs stays", () => {
  made("a", "a", 100);
  made("b", "b", 100);
  store.keepLatest("one", { a: sha256("a") });
  collect();
  expect(left()).toEqual(["a"]);
});

test("what a committed report names stays, with all that it rests on", () => {
  made("features", "features", 100);
  made("train", "model", 100, ["features"]);
  made("evaluate", "metrics", 100, ["model"]);
  made("other", "other", 100, ["features"]);
  mkdirSync(join(root, "reports/sample"), { recursive: true });
  writeFileSync(
    join(root, "reports/sample/provenance.md"),
    `| map | \`${sha256("metrics").slice(0, 16)}\` |`,
  );
  collect({}, [join(root, "reports")]);
  expect(left()).toEqual(["evaluate", "features", "train"]);
});

test("old downloads, logs of failures, quarantined files and bundles that nothing uses go", () => {
  const bundles = join(root, "node_modules/.cache/deephash");
  const bundle = (name: string) => `${name.repeat(64)}.mjs`;
  const files = [
    "cache/downloads/part",
    `cache/logs/${"f".repeat(64)}.log`,
    `cache/bad/${"f".repeat(64)}-1`,
    ...["a", "b"].map((name) => `node_modules/.cache/deephash/${bundle(name)}`),
  ];
  for (const file of files) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), "x");
    age(join(root, file), 40);
  }
  writeFileSync(
    join(bundles, "code.json"),
    JSON.stringify({ stage: { bundle: join(bundles, bundle("a")) } }),
  );
  writeFileSync(join(bundles, bundle("c")), "young");
  expect(
    collect()
      .map(({ kind }) => kind)
      .sort(),
  ).toEqual(["bundle", "download", "log", "quarantined"]);
  expect(readdirSync(bundles).sort()).toEqual([bundle("a"), bundle("c"), "code.json"]);
});

test("interrupted anywhere, it leaves a store in which every record is whole", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), (stop) => {
      for (const id of ["a", "b", "c"]) made(id, id, 100);
      const found = garbage(store, root, [], { keepRuns: 1, olderThan: DAY });
      remove(found.slice(0, stop), store, root);
      for (const key of store.keys()) expect(store.faultOf(store.record(key)!.outputs.o)).toBe("");
    }),
    { numRuns: 13 },
  );
});

test("gc: nothing is removed while a run goes on, and --dry-run removes nothing at all", async () => {
  made("old", "12345", 31);
  const said: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line) => said.push(line));
  const error = vi.spyOn(console, "error").mockImplementation((line) => said.push(line));
  try {
    const leave = await store.enter(() => {});
    expect(await gcCommand(store, root, [], { keepRuns: 3 })).toBe(1);
    expect(said.splice(0).join()).toContain(`gc: process ${process.pid} on`);
    expect(await gcCommand(store, root, [], { keepRuns: 3, dryRun: true })).toBe(0);
    leave();
    const bytes = readFileSync(store.recordPath(sha256("old"))).length + 5 + 3;
    expect(said.splice(0)).toEqual([
      expect.stringMatching(/^record old {2}.* B, last used 31 d ago$/),
      expect.stringMatching(
        new RegExp(`^Would remove 1 record, 1 object, 1 log: .* \\(${bytes} bytes\\)\\.$`),
      ),
    ]);
    expect(left()).toEqual(["old"]);
    expect(await gcCommand(store, root, [], { keepRuns: 3 })).toBe(0);
    expect(said.at(-1)).toMatch(/^Removed 1 record, 1 object, 1 log/);
    expect(left()).toEqual([]);
    expect(await gcCommand(store, root, [], { keepRuns: 3 })).toBe(0);
    expect(said.at(-1)).toBe("Nothing to remove.");
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
});
