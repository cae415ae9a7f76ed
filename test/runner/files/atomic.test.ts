/** Files of stages in the scratch folder, and unwritable ones, do not end a run. As root, by another user. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { makeWritable } from "../../../runner/files/atomic.ts";

/** Whom permissions bind: root is not. */
const NOBODY = 65534;
const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

const folder = mkdtempSync(join(tmpdir(), "deephash-scratch-"));
const bundle = join(folder, "store.mjs");
beforeAll(async () => {
  chmodSync(folder, 0o755);
  if (user.uid) chmodSync(tmpdir(), statSync(tmpdir()).mode | 0o011); // so that the other user gets to it
  const contents = `export * from "./runner/store/store.ts"; export * from "./runner/files/memo.ts"; export * from "./runner/files/atomic.ts"; export * from "./runner/files/statcache.ts";`;
  await build({
    stdin: { contents, resolveDir: process.cwd(), loader: "ts" },
    outfile: bundle,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    banner: { js: "import{createRequire as cjs}from'node:module';const require=cjs(import.meta.url);" },
  });
});
afterAll(() => {
  makeWritable(folder);
  rmSync(folder, { recursive: true });
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(folder, "case-"));
  if (user.uid) chownSync(root, NOBODY, NOBODY);
});

/** Runs code in a process of that user, with the runner's exports. */
function runAs(code: string) {
  const text = `import { writeFileSync, mkdirSync, chmodSync } from "node:fs"; const d = await import(${JSON.stringify(bundle)}); const root = ${JSON.stringify(root)};\n${code}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", text], {
    encoding: "utf8",
    ...user,
  });
  return { status, out: stdout, err: stderr };
}

const DEAD = (name: string) => `${name}.1.scratch-4194399-7-${hostname()}`;
/** Code that leaves a read-only folder of a process that is gone. */
const LEFT = `const left = root + "/cache/scratch/${DEAD("k")}/out/d"; mkdirSync(left, { recursive: true });
writeFileSync(left + "/file", "x"); chmodSync(left, 0o555); chmodSync(root + "/cache/scratch/${DEAD("k")}/out", 0o500);`;

test("a read-only folder that a killed run left is swept", () => {
  const { status, err } = runAs(`${LEFT}
const store = new d.Store(root + "/cache"); (await store.enter(() => {}))(); store.sweep();`);
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(readdirSync(join(root, "cache/scratch"))).toEqual([]);
});

test("it is swept before the first lock is taken: what a killed stage left may fill the disk", () => {
  const { status, err } = runAs(`${LEFT}
const store = new d.Store(root + "/cache");
store.lock = async () => { const { existsSync } = await import("node:fs"); if (existsSync(left)) throw new Error("no room for a lock"); return () => {}; };
(await store.enter(() => {}))(); (await store.collect()).release();`);
  expect({ status, err }).toEqual({ status: 0, err: "" });
});

test("what cannot be swept is a warning that names it", () => {
  mkdirSync(join(root, "cache/scratch", DEAD("theirs")), { recursive: true });
  writeFileSync(join(root, "cache/scratch", DEAD("theirs"), "file"), "x");
  // The folder itself takes no changes from this user: as in a store whose scratch another one made.
  chmodSync(join(root, "cache/scratch"), 0o555);
  const { status, err } = runAs(`d.sweep(root + "/cache/scratch");`);
  expect(status).toBe(0);
  expect(err).toMatch(/^! .*theirs\S* of a killed run could not be removed \(EACCES.*\)\.\n$/);
  expect(existsSync(join(root, "cache/scratch", DEAD("theirs")))).toBe(true);
  chmodSync(join(root, "cache/scratch"), 0o755);
});

test("an output with a read-only folder and an unreadable file is kept, and its scratch folder goes", () => {
  const { status, err, out } = runAs(`
const store = new d.Store(root + "/cache"); const scratch = store.scratch("${"k".repeat(64)}"); const out = scratch + "/out";
mkdirSync(out + "/d", { recursive: true }); writeFileSync(out + "/d/f", "text", { mode: 0 }); chmodSync(out + "/d", 0o500);
await store.hashOutputs([out]); console.log(JSON.stringify(store.keepOutput(out, false).files)); d.removeTree(scratch);`);
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(JSON.parse(out)).toEqual([["d/f", expect.stringMatching(/^[0-9a-f]{64}$/)]]);
  expect(readdirSync(join(root, "cache/scratch"))).toEqual([]);
});

test("a cache that may not be written is one warning, and the work goes on", () => {
  mkdirSync(join(root, "locked"));
  chmodSync(join(root, "locked"), 0o555);
  const { status, err } = runAs(`
for (const name of ["memo.json", "deep/memo.json"]) { const memo = new d.Memo(root + "/locked/" + name); memo.set(1, 2); memo.save(); memo.set(2, 3); memo.save(); }
writeFileSync(root + "/file", "x"); const cache = new d.StatCache(root + "/locked/stat.json", root + "/scratch");
for (const hash of ["a", "b"]) { cache.remember(root + "/file", hash.repeat(64)); cache.save(); }`);
  expect(status).toBe(0);
  const lines = err.trim().split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines)
    expect(line).toMatch(
      /^! .*(memo|stat)\.json could not be written \(EACCES.*It only saves time: the run goes on without it\.$/,
    );
  chmodSync(join(root, "locked"), 0o755);
});

test("links are not followed when folders are made writable or removed", () => {
  mkdirSync(join(root, "theirs"));
  chmodSync(join(root, "theirs"), 0o555);
  mkdirSync(join(root, "ours"));
  symlinkSync(join(root, "theirs"), join(root, "ours/link"));
  makeWritable(join(root, "ours"));
  expect(statSync(join(root, "theirs")).mode & 0o777).toBe(0o555);
});
