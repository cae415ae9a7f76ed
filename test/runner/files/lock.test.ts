import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lock } from "../../../runner/files/lock.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-lock-"));
  path = join(folder, "locks/key");
});
afterEach(() => rmSync(folder, { recursive: true }));

const silent = () => {};
const owner = (more: object) => JSON.stringify({ pid: process.pid, started: "", host: hostname(), ...more });
/** A pid that was, and is no more. */
const deadPid = () => spawnSync("true").pid;

/** Takes the lock and tells how long that took and whether it had to wait for somebody. */
async function take() {
  let waited = false;
  const release = await lock(
    path,
    () => {
      waited = true;
    },
    AbortSignal.timeout(5000),
  );
  release();
  return waited;
}
async function left(text: string): Promise<void> {
  (await lock(path, silent))();
  writeFileSync(path, text);
}

test("a free lock is taken at once, and nothing is left behind", async () => {
  const release = await lock(path, silent);
  expect(readdirSync(join(folder, "locks"))).toEqual(["key"]);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
  release();
  expect(readdirSync(join(folder, "locks"))).toEqual([]);
});

test("waiters take their turn, one at a time, and are told whom they wait for", async () => {
  const said: string[] = [];
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      const release = await lock(path, (who) => said.push(who));
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, 20));
      inside--;
      release();
    }),
  );
  expect(most).toBe(1);
  expect(said).toEqual(Array(3).fill(`process ${process.pid} on ${hostname()}`));
});

test("a cancelled wait ends", async () => {
  const release = await lock(path, silent);
  const cancelled = new AbortController();
  const waiter = lock(path, () => cancelled.abort(), cancelled.signal);
  await expect(waiter).rejects.toThrow("aborted");
  release();
  expect(readdirSync(join(folder, "locks"))).toEqual([]);
});

test("a dead owner keeps nothing", async () => {
  await left(owner({ pid: deadPid() }));
  expect(await take()).toBe(false);
});

test("a pid that was given to another process since is no owner", async () => {
  await left(owner({ started: "1" })); // this very process, said to have started with the machine
  expect(await take()).toBe(false);
});

test("half a lock file, as a power cut leaves it, holds nobody up", async () => {
  for (const text of ["", '{"pid": 1', "null"]) {
    await left(text);
    expect(await take()).toBe(false);
  }
});

test("an owner on another machine is alive as long as it is heard of", async () => {
  await left(owner({ host: "elsewhere", pid: 1 }));
  let told = "";
  const soon = lock(path, (who) => (told = who), AbortSignal.timeout(300));
  await expect(soon).rejects.toThrow();
  expect(told).toBe("process 1 on elsewhere");
  const before = new Date(Date.now() - 200_000);
  utimesSync(path, before, before);
  expect(await take()).toBe(false);
});

test("one who died while taking a dead owner's lock away keeps nothing", async () => {
  await left(owner({ pid: deadPid() }));
  writeFileSync(`${path}.break`, "");
  const before = new Date(Date.now() - 20_000);
  utimesSync(`${path}.break`, before, before);
  expect(await take()).toBe(false);
  expect(existsSync(`${path}.break`)).toBe(false);
});

test("a lock that was taken for dead is not given back in another's place", async () => {
  const release = await lock(path, silent);
  writeFileSync(path, owner({ pid: 1 }));
  release();
  expect(JSON.parse(readFileSync(path, "utf8")).pid).toBe(1);
});

test("of many processes that find a dead owner, one at a time holds the lock", async () => {
  const bundle = join(folder, "lock.mjs");
  await build({
    entryPoints: [resolve("runner/files/lock.ts")],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  await left(owner({ pid: deadPid() }));
  // Each one counts up in a way that loses counts unless it is alone.
  const count = join(folder, "count");
  writeFileSync(count, "0");
  const script = `
    import { lock } from ${JSON.stringify(bundle)};
    import { readFileSync, writeFileSync } from "node:fs";
    for (let turn = 0; turn < 10; turn++) {
      const release = await lock(${JSON.stringify(path)}, () => {});
      const value = Number(readFileSync(${JSON.stringify(count)}, "utf8"));
      await new Promise((done) => setTimeout(done, 2));
      writeFileSync(${JSON.stringify(count)}, String(value + 1));
      // Every third turn it "dies" with the lock in its hands: the next one finds a dead owner.
      if (turn % 3) release();
      else writeFileSync(${JSON.stringify(path)}, JSON.stringify({ pid: ${deadPid()}, started: "", host: ${JSON.stringify(hostname())}, turn, me: process.pid }));
    }
    process.exit(0);`;
  const ends = await Promise.all(
    Array.from({ length: 3 }, () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
      return new Promise((done) => child.on("exit", done));
    }),
  );
  expect(ends).toEqual([0, 0, 0]);
  expect(readFileSync(count, "utf8")).toBe("30");
});
