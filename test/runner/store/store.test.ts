import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../../runner/files/statcache.ts";
import type { StoreEvent } from "../../../runner/store/events.ts";
import { filesBelow } from "../../../runner/store/folder.ts";
import type { StageRecord, StoredOutput } from "../../../runner/store/record.ts";
import { Store } from "../../../runner/store/store.ts";

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-store-"));
  store = new Store(join(folder, "cache"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes files below the store's own disk and keeps them. */
function keep(files: Record<string, string | Uint8Array>): StoredOutput {
  const scratch = store.scratch("k".repeat(64));
  const out = join(scratch, "out");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), content);
  }
  return store.keepOutput(out, false);
}
function keepFile(content: string | Uint8Array): StoredOutput {
  const path = join(store.scratch("k".repeat(64)), "file");
  writeFileSync(path, content);
  return store.keepOutput(path, false);
}
const objectOf = (hash: string) => join(folder, "cache/objects", hash.slice(0, 2), hash);
const record = (key: string, outputs: Record<string, StoredOutput>): StageRecord => ({
  key,
  id: "a",
  stage: "a",
  code: "",
  packages: [],
  parts: {},
  params: {},
  inputs: {},
  outputs,
  notes: {},
  machine: { host: "", node: "", cpu: "", cores: 1 },
  ended: "",
  seconds: 0,
  peakMegabytes: 0,
});

describe("objects", () => {
  test("a file is kept under its content's hash, read-only, once", () => {
    const { hash, bytes, measured } = keepFile("hello");
    expect({ hash, bytes, measured }).toEqual({ hash: sha256("hello"), bytes: 5, measured: false });
    expect(readFileSync(objectOf(hash), "utf8")).toBe("hello");
    expect(statSync(objectOf(hash)).mode & 0o222).toBe(0);
    const { ino } = statSync(objectOf(hash));
    keepFile("hello");
    expect(statSync(objectOf(hash)).ino).toBe(ino);
  });

  test("every output comes back byte for byte", async () => {
    const path = fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{4,5})?$/);
    const content = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(path, content, { minKeys: 1, maxKeys: 6 }), async (files) => {
        // A path may not be a file and a folder.
        const paths = Object.keys(files);
        fc.pre(!paths.some((one) => paths.some((other) => other.startsWith(`${one}/`))));
        const output = keep(files);
        expect(store.faultOf(output)).toBe("");
        const shown = join(mkdtempSync(join(folder, "shown-")), "output");
        await store.show(output, shown, false);
        expect(filesBelow(shown)).toEqual(paths.sort());
        for (const one of paths) expect(new Uint8Array(readFileSync(join(shown, one)))).toEqual(files[one]);
        expect(output.bytes).toBe(Object.values(files).reduce((sum, { length }) => sum + length, 0));
        expect(keep(files)).toEqual(output);
      }),
      { numRuns: 40 },
    );
  });

  test("a folder's hash differs for other names and contents", () => {
    const hashes = [
      keep({ a: "x" }),
      keep({ b: "x" }),
      keep({ a: "y" }),
      keep({ a: "x", b: "x" }),
      keep({ "a/a": "x" }),
    ].map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("a corrupt one is reported and quarantined, and can be rebuilt", () => {
    const output = keepFile("hello");
    rmSync(objectOf(output.hash));
    writeFileSync(objectOf(output.hash), "hallo");
    expect(store.faultOf(output)).toBe(
      `object ${output.hash.slice(0, 8)}… does not match its hash (disk fault or edited by hand). Quarantined`,
    );
    expect(existsSync(objectOf(output.hash))).toBe(false);
    expect(readdirSync(join(folder, "cache/bad"))).toHaveLength(1);
    expect(store.faultOf(output)).toBe(`object ${output.hash.slice(0, 8)}… is gone`);
    keepFile("hello");
    expect(store.faultOf(output)).toBe("");
  });

  test("a damaged one is replaced when the same is kept again", () => {
    const { hash } = keepFile("hello");
    rmSync(objectOf(hash));
    writeFileSync(objectOf(hash), "hallo");
    keepFile("hello");
    expect(readFileSync(objectOf(hash), "utf8")).toBe("hello");
  });

  test("any one changed byte is found", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (content, at, change) => {
          const output = keepFile(content);
          const damaged = content.slice();
          damaged[at % content.length] ^= change;
          rmSync(objectOf(output.hash));
          writeFileSync(objectOf(output.hash), damaged);
          expect(store.faultOf(output)).toContain("does not match its hash");
        },
      ),
      { numRuns: 40 },
    );
  });

  test("one lost file of a folder is told", () => {
    const output = keep({ a: "x", b: "y" });
    rmSync(objectOf(sha256("y")));
    expect(store.faultOf(output)).toBe(`object ${sha256("y").slice(0, 8)}… is gone`);
  });
});

describe("records", () => {
  const key = "1".repeat(64);
  test("come back, and are none when cut off or another's", () => {
    expect(store.record(key)).toBeUndefined();
    const kept = record(key, { o: keepFile("x") });
    store.keepRecord(kept);
    expect(store.record(key)).toEqual(kept);
    const path = join(folder, `cache/records/${key}.json`);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.slice(0, -10));
    expect(store.record(key)).toBeUndefined();
    writeFileSync(path, text.replace(key, "2".repeat(64)));
    expect(store.record(key)).toBeUndefined();
  });

  test("with any one changed byte are quarantined, with one event", () => {
    const events: StoreEvent[] = [];
    const store = new Store(join(folder, "cache"), (event) => events.push(event));
    const kept = record(key, { o: keepFile("x") });
    const path = join(folder, `cache/records/${key}.json`);
    store.keepRecord(kept);
    const good = readFileSync(path);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = Buffer.from(good);
        bad[at] ^= change;
        writeFileSync(path, bad);
        events.length = 0;
        expect(store.record(key)).toBeUndefined();
        expect(events).toEqual([
          { kind: "quarantined", key, fault: "is damaged (disk fault or edited by hand)" },
        ]);
        expect(existsSync(path)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test("without a sum, as any editor writes them, are damaged", () => {
    const kept = record(key, { o: keepFile("x") });
    mkdirSync(join(folder, "cache/records"), { recursive: true });
    writeFileSync(join(folder, `cache/records/${key}.json`), `${JSON.stringify(kept, null, 1)}\n`);
    expect(store.record(key)).toBeUndefined();
    expect(store.damaged).toContain(key);
  });

  test("leave nothing half when they cannot be written", () => {
    mkdirSync(join(folder, `cache/records/${key}.json`), { recursive: true }); // the rename must fail
    expect(() => store.keepRecord(record(key, {}))).toThrow();
    expect(readdirSync(join(folder, "cache/records"))).toEqual([`${key}.json`]);
  });

  test("the latest key of each instance is kept by profile", () => {
    const [one, two, three] = ["1", "2", "3"].map((text) => sha256(text));
    store.keepLatest("a", { x: one, y: two });
    store.keepLatest("a", { y: three });
    expect(store.latest("a")).toEqual({ x: one, y: three });
    expect(store.latest("b")).toEqual({});
  });
});

test("inputs: a folder's hash changes with the name and content of any file below", () => {
  const input = join(folder, "input");
  mkdirSync(join(input, "sub"), { recursive: true });
  writeFileSync(join(input, "a"), "1");
  writeFileSync(join(input, "sub/b"), "2");
  const hash = () => new Store(join(folder, "other")).hashInput(input);
  const before = hash();
  expect(hash()).toBe(before);
  writeFileSync(join(input, "sub/b"), "3");
  const after = hash();
  expect(after).not.toBe(before);
  writeFileSync(join(input, "sub/c"), "");
  expect(hash()).not.toBe(after);
  expect(store.hashInput(join(input, "a"))).toBe(sha256("1"));
});

test("what dead processes left is swept away, what living ones and other machines hold stays", async () => {
  const mine = store.scratch("k".repeat(64));
  const release = await store.lock("1".repeat(64), () => {});
  const dead = join(folder, `cache/scratch/0123456789abcdef.1.scratch-4194399-7-${hostname()}`);
  // This very process's number, given to it after another one had it.
  const reused = join(folder, `cache/scratch/0123456789abcdef.1.scratch-${process.pid}-7-${hostname()}`);
  const elsewhere = join(folder, "cache/scratch/0123456789abcdef.1.scratch-4194399-7-other-host");
  for (const path of [dead, reused, elsewhere]) mkdirSync(path);
  writeFileSync(join(dead, "half a file"), "");
  writeFileSync(
    join(folder, "cache/locks", "2".repeat(64)),
    JSON.stringify({ pid: 4194399, started: "7", host: hostname() }),
  );
  store.sweep();
  expect([mine, dead, reused, elsewhere].map((path) => existsSync(path))).toEqual([true, false, false, true]);
  expect(readdirSync(join(folder, "cache/locks"))).toEqual(["1".repeat(64)]);
  release();
});

test("an output that is a link is kept as its target; a dangling link is a user error", () => {
  const scratch = store.scratch("k".repeat(64));
  mkdirSync(join(scratch, "out"));
  writeFileSync(join(scratch, "real"), "hello");
  symlinkSync(join(scratch, "real"), join(scratch, "out/link"));
  const output = store.keepOutput(join(scratch, "out"), false);
  expect(output.files).toEqual([["link", sha256("hello")]]);
  expect(lstatSync(objectOf(sha256("hello"))).isFile()).toBe(true);
  symlinkSync(join(scratch, "nowhere"), join(scratch, "dangling"));
  expect(() => store.keepOutput(join(scratch, "dangling"), false)).toThrow(
    `its output dangling is a link to ${join(scratch, "nowhere")}, which is not there.`,
  );
  rmSync(join(scratch, "dangling"));
  symlinkSync(scratch, join(scratch, "folder"));
  expect(() => store.keepOutput(join(scratch, "folder"), false)).toThrow("leads back into itself");
});

test("a link to a folder is kept as a copy, and its target stays as it is", () => {
  const mine = join(folder, "mine");
  mkdirSync(join(mine, "deep"), { recursive: true });
  writeFileSync(join(mine, "deep/photo"), "precious");
  const out = join(store.scratch("k".repeat(64)), "out");
  mkdirSync(out);
  symlinkSync(mine, join(out, "shown"));
  linkSync(join(mine, "deep/photo"), join(out, "hard"));
  const output = store.keepOutput(out, false);
  expect(output.files).toEqual([
    ["hard", sha256("precious")],
    ["shown/deep/photo", sha256("precious")],
  ]);
  expect(readFileSync(join(mine, "deep/photo"), "utf8")).toBe("precious");
  expect(statSync(join(mine, "deep/photo")).mode & 0o200).not.toBe(0);
  expect(statSync(objectOf(sha256("precious"))).nlink).toBe(1);
});

test("the executable bit and empty folders come back, and are in the hash only where they are", async () => {
  const made = (mode: number, empty: boolean): StoredOutput => {
    const out = join(store.scratch("k".repeat(64)), "out");
    mkdirSync(join(out, "bin"), { recursive: true });
    writeFileSync(join(out, "bin/tool"), "#!/bin/sh\n");
    chmodSync(join(out, "bin/tool"), mode);
    if (empty) mkdirSync(join(out, "nothing/below"), { recursive: true });
    return store.keepOutput(out, false);
  };
  const tool = sha256("#!/bin/sh\n");
  const ordinary = made(0o644, false);
  expect(ordinary).toEqual({
    hash: sha256(JSON.stringify([["bin/tool", tool]])), // as it always was
    bytes: 10,
    measured: false,
    files: [["bin/tool", tool]],
  });
  const both = made(0o755, true);
  expect(both.files).toEqual([["bin/tool", tool, "x"]]);
  expect(both.folders).toEqual(["nothing/below"]);
  expect(new Set([ordinary, made(0o755, false), made(0o644, true), both].map(({ hash }) => hash)).size).toBe(
    4,
  );
  const shown = join(folder, "shown");
  await store.show(both, shown, false);
  expect(statSync(join(shown, "bin/tool")).mode & 0o777).toBe(0o555);
  expect(statSync(join(shown, "nothing/below")).isDirectory()).toBe(true);
  expect(store.hashInput(shown)).toBe(both.hash); // a folder of the project counts as one that a stage made
});

test("a single file that is executable comes back so, under a hash of its own", async () => {
  const path = join(store.scratch("k".repeat(64)), "tool");
  writeFileSync(path, "#!/bin/sh\n", { mode: 0o755 });
  const output = store.keepOutput(path, false);
  expect(output.files).toEqual([["", sha256("#!/bin/sh\n"), "x"]]);
  expect(output.hash).not.toBe(sha256("#!/bin/sh\n"));
  expect(store.faultOf(output)).toBe("");
  const shown = join(folder, "tool");
  await store.show(output, shown, false);
  expect(lstatSync(shown).isFile()).toBe(true);
  expect(statSync(shown).mode & 0o777).toBe(0o555);
  expect(store.hashInput(shown)).toBe(output.hash);
});

test("what a stage writes to what it is shown does not reach the store", async () => {
  const output = keep({ a: "x" });
  const shown = join(folder, "shown");
  await store.show(output, shown, false);
  expect(lstatSync(join(shown, "a")).isFile()).toBe(true);
  chmodSync(join(shown, "a"), 0o644);
  writeFileSync(join(shown, "a"), "changed");
  expect(store.faultOf(output)).toBe("");
  const single = keepFile("x");
  await store.show(single, join(folder, "link"), false);
  await store.show(single, join(folder, "copy"), true);
  expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(folder, "copy")).isFile()).toBe(true);
});

test("while garbage is collected a run waits, and while a run goes on nothing is collected", async () => {
  const { release, users } = await store.collect();
  expect(users).toEqual([]);
  const said: string[] = [];
  const entered = store.enter((owner) => {
    said.push(owner);
    release();
  });
  const leave = await entered;
  expect(said).toEqual([`process ${process.pid} on ${hostname()}`]);
  const second = await store.collect();
  expect(second.users).toMatchObject([{ pid: process.pid, host: hostname() }]);
  second.release();
  leave();
  expect(readdirSync(join(folder, "cache/locks"))).toEqual([]);
});
