/** Makes every call that changes a file fail, one after the other, and checks the run after it. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import type { StageRecord } from "../../../runner/store/record.ts";
import type { Ended } from "../project.ts";

/** Files from before a run are safe from a power cut; the clock of files lags behind this much. */
const SETTLED_MILLISECONDS = 10;

const INJECT = resolve("test/runner/faults/inject.cjs");

/**
 * `kill`: SIGKILL before the call, and half-way through a write. `power`: the same, and bytes that were not
 * synced is lost. `ENOSPC`: from this call on no room is left. `EIO`: this call fails.
 */
export type Fault = "kill" | "power" | "ENOSPC" | "EIO";

/** A project in a folder, and how it is run. */
export interface Subject {
  root: string;
  /** Makes it as new. */
  reset(): void;
  /** Runs it, with more in its environment. */
  run(env: Record<string, string>): Promise<Ended>;
}

/** Files below a folder, as paths from it. */
function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

/** The records that are whole: they parse, and their objects have the content their names say. */
function wholeRecords(root: string): StageRecord[] {
  const objects = new Set(
    below(join(root, "cache/objects")).filter(
      (path) => path.slice(3) === sha256(readFileSync(join(root, "cache/objects", path))),
    ),
  );
  return below(join(root, "cache/records")).flatMap((name) => {
    try {
      const record = JSON.parse(readFileSync(join(root, "cache/records", name), "utf8")) as StageRecord;
      const hashes = Object.values(record.outputs).flatMap(
        (output) => output.files?.map(([, hash]) => hash) ?? [output.hash],
      );
      return hashes.every((hash) => objects.has(`${hash.slice(0, 2)}/${hash}`)) ? [record] : [];
    } catch {
      return [];
    }
  });
}

/** The outputs of a run and the person's files among them, without the measured ones. */
export function made(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { id, outputs } of wholeRecords(root))
    for (const [name, { hash, measured }] of Object.entries(outputs))
      if (!measured) found[`${id} ${name}`] = hash;
  for (const path of below(join(root, "reports"))) {
    const content = readFileSync(join(root, "reports", path));
    if (/\.published(-measured)?$/.test(path))
      found[path] = Object.entries<string[]>(JSON.parse(content.toString()).files)
        .map(
          ([file, [, hash]]) =>
            file + (sha256(readFileSync(join(root, "reports", file))) === hash ? "" : " differs"),
        )
        .join();
    else if (path.endsWith("mine") || !/clock|seconds|timings/.test(path)) found[path] = sha256(content);
  }
  return found;
}

/** The files that a run must not leave: temporary files and folders, locks. */
const left = (root: string) => [
  ...below(root).filter((path) => path.includes(".scratch-")),
  ...below(join(root, "cache/locks")),
  ...(existsSync(join(root, "cache/scratch")) ? readdirSync(join(root, "cache/scratch")) : []),
];

/** The ids of the stages that ran, each as often as it did. */
function ran(root: string): string[] {
  const path = join(root, "ran.log");
  const ids = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
  rmSync(path, { force: true });
  return ids;
}

/** The rules for every injected failure. */
async function expectRepaired(subject: Subject, whole: Record<string, string>, point: string): Promise<void> {
  const { root } = subject;
  const before = wholeRecords(root).map(({ id }) => id);
  ran(root);
  const again = await subject.run({});
  expect(again, point).toMatchObject({ code: 0, signal: null });
  expect(made(root), point).toEqual(whole);
  expect(
    ran(root).filter((id) => before.includes(id)),
    `${point}: finished stages that ran again`,
  ).toEqual([]);
  expect(left(root), point).toEqual([]);
}

/**
 * Runs `subject` with one fault after the other, until a run ends without one.
 * @param of whose calls: the runner's or its stages' processes
 * @param turns which of the points, of how many in all, are tried here: `[0, 1]` for all of them
 * @param concerns leaves out the points whose line of the trace it does not match
 * @returns how many points were tried
 */
export async function eachFault(
  subject: Subject,
  fault: Fault,
  of: "runner" | "stage",
  [turn, turns]: [turn: number, turns: number] = [0, 1],
  concerns = /^/,
): Promise<number> {
  const { root } = subject;
  const trace = join(root, "trace");
  const lines = () =>
    existsSync(trace)
      ? readFileSync(trace, "utf8")
          .split("\n")
          .filter((line) => line.startsWith(`${of} `))
      : [];
  /** The fault is in a preload: of the environment, a stage's process sees NODE_OPTIONS and no variable of tests. */
  const inject = (at: number) => {
    const spec = { root, trace, of, at, kind: fault, since: Date.now() + SETTLED_MILLISECONDS };
    const preload = `${root}.fault.cjs`;
    writeFileSync(
      preload,
      `process.env.DEEPHASH_FAULT = ${JSON.stringify(JSON.stringify(spec))};\nrequire(${JSON.stringify(INJECT)});\n`,
    );
    return { NODE_OPTIONS: `--require ${preload}` };
  };
  subject.reset();
  expect(await subject.run(inject(0))).toMatchObject({ code: 0 });
  const whole = made(root);
  expect(Object.keys(whole).length).toBeGreaterThan(0);
  expect(left(root)).toEqual([]);
  const points = lines();
  let tried = 0;
  for (let at = turn + 1; ; at += turns) {
    if (!concerns.test(points[at - 1] ?? "")) {
      if (at > points.length) return tried;
      continue;
    }
    subject.reset();
    const ended = await subject.run(inject(at));
    const reached = lines();
    if (reached.length < at) {
      expect(ended).toMatchObject({ code: 0 });
      return tried;
    }
    const point = `${fault} at ${at} (${reached[at - 1]})`;
    tried++;
    if (fault === "kill" || fault === "power") {
      if (of === "runner") expect(ended.signal, point).toBe("SIGKILL");
      else
        expect(ended, point).toMatchObject({ code: 1, out: expect.stringContaining("was killed (SIGKILL)") });
    } else {
      const said = ended.out + ended.err;
      // No room is needed for every call: a full disk may come about at one that needs none, and be met later.
      const met = fault === "EIO" || said.includes("ENOSPC") || ended.code !== 0;
      if (met) {
        expect(ended.code, `${point}\n${said}`).toBe(1);
        expect(said.split(`(${fault}`).length - 1, `${point}\n${said}`).toBe(1);
        expect(said, point).not.toMatch(/^\s+at /m);
      }
    }
    rmSync(trace, { force: true });
    await expectRepaired(subject, whole, point);
  }
}
