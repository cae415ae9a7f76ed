/**
 * `--executor slurm` on a real Slurm: `npm run test:slurm`. It needs a cluster of at least two nodes on this one machine,
 * of which it kills and starts the daemons: root, Debian's slurm-wlm, `ReturnToService=2`, a short `SlurmdTimeout`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, expect, test } from "vitest";
import { Project, RAN } from "../runner/project.ts";

const project = new Project();
afterAll(() => project.remove());

const SLURM = ["--executor", "slurm"];
const POLL = "\nslurm: { poll: 1 }\n";

/** A stage that goes on until there is a file `go`, `after` it, and beside it a short one. */
const SLOW = `
profiles: { small: {} }
stages:
  slow:
    run: echo slow >> ${RAN}; echo $$ >> pids.log; until [ -e go ]; do sleep 0.3; done; echo done > \${out.text}
    outputs: { text: text.txt }
  after: { uses: trouble, inputs: { values: slow.text } }
  numbers: { uses: numbers }
${POLL}`;

/** The configuration of Slurm. */
const setting = (name: string) =>
  new RegExp(`^${name}\\s*=\\s*(.*)$`, "m").exec(
    execFileSync("scontrol", ["show", "config"], { encoding: "utf8" }),
  )![1];

interface Row {
  id: string;
  raw: string;
  name: string;
  state: string;
  node: string;
}
function queue(): Row[] {
  return execFileSync("squeue", ["-h", "-r", "-t", "all", "-o", "%F_%K|%A|%j|%T|%N"], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("|"))
    .map(([id, raw, name, state, node]) => ({ id, raw, name, state, node }));
}
/** The last job there was before the test: the same work has the same name in each. */
let last = 0;
/** The jobs of this project's store, of this test. */
function jobs(): Row[] {
  const folder = project.path("cache/slurm");
  const own = existsSync(folder) ? readdirSync(folder) : [];
  return queue().filter(({ name, raw }) => own.includes(name) && Number(raw) > last);
}
const open = () => jobs().filter(({ state }) => ["PENDING", "RUNNING", "COMPLETING"].includes(state));

async function until<T>(found: () => T | undefined | false, what: string): Promise<T> {
  for (let tries = 0; tries < 1200; tries++) {
    const value = found();
    if (value) return value;
    await sleep(250);
  }
  throw new Error(`${what} did not come about`);
}
const pids = () => project.read("pids.log").trim().split("\n").map(Number);
const started = () => existsSync(project.path("pids.log"));

beforeEach(() => {
  last = Math.max(0, ...queue().map(({ raw }) => Number(raw)));
  project.reset();
  project.write("pipeline.yaml", project.read("pipeline.yaml") + POLL);
});

test("a whole run makes the bytes of a local run", async () => {
  const { code, err } = await project.run(...SLURM);
  expect(err).toBe("");
  expect(code).toBe(0);
  const outputs = () =>
    Object.fromEntries(
      readdirSync(project.path("cache/records")).map((name) => {
        const { id, outputs } = JSON.parse(project.read(`cache/records/${name}`));
        return [
          `${id} ${name}`,
          Object.entries<{ hash: string; measured: boolean }>(outputs).map(([output, { hash, measured }]) => [
            output,
            measured || hash,
          ]),
        ];
      }),
    );
  const here = outputs();
  expect(jobs().map(({ state }) => state)).toEqual(["COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED"]);
  rmSync(project.path("cache"), { recursive: true });
  await project.run();
  expect(outputs()).toEqual(here);
});

test("a second run takes up the jobs of one that was killed, and submits none twice", async () => {
  project.write("pipeline.yaml", SLOW);
  const first = project.start(...SLURM);
  await until(() => first.said().includes("3 jobs submitted"), "the jobs");
  first.child.kill("SIGKILL");
  await first.ended;
  await until(started, "the stage");
  const second = project.start(...SLURM);
  await until(
    () => /0 jobs submitted, \d jobs? of an earlier run found and followed/.test(second.said()),
    "the second run",
  );
  project.write("go", "");
  expect((await second.ended).code).toBe(0);
  expect(jobs()).toHaveLength(3);
  expect(project.ran().sort()).toEqual(["after", "numbers", "slow"]);
});

test("a node that dies costs its stage some time, no more", async () => {
  project.write("pipeline.yaml", SLOW);
  const run = project.start(...SLURM);
  await until(started, "the stage");
  const { raw, node } = jobs().find(({ name }) => name.startsWith("slow."))!;
  // Power off: the node's daemon, the one of the job, and all that the job runs.
  const daemon = Number(readFileSync(setting("SlurmdPidFile").replace("%n", node), "utf8"));
  const steps = readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(join("/proc", pid, "cmdline"), "utf8").startsWith(`slurmstepd: [${raw}.`);
    } catch {
      return false;
    }
  });
  const children = (pid: string | number): string[] => {
    const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    const found = stdout
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    return found.flatMap((one) => [one, ...children(one)]);
  };
  const below = steps.flatMap(children);
  for (const pid of [daemon, ...steps, ...below]) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {} // it went with its parent
  }
  try {
    await until(() => pids().length === 2, "the second attempt");
    project.write("go", "");
    const { code, out } = await run.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/job \d+_0 \(slow\) (begins again|was lost)/);
    expect(project.ran().filter((id) => id === "slow")).toHaveLength(2);
    expect(readdirSync(project.path("cache/scratch"))).toEqual([]);
  } finally {
    execFileSync("slurmd", ["-N", node]);
    await until(
      () => execFileSync("sinfo", ["-h", "-n", node, "-o", "%t"], { encoding: "utf8" }).startsWith("idle"),
      "the node",
    );
  }
});

test("a controller that goes and comes is waited for, and nothing is lost or done twice", async () => {
  project.write("pipeline.yaml", SLOW);
  const run = project.start(...SLURM);
  await until(started, "the stage");
  const pidFile = setting("SlurmctldPidFile");
  process.kill(Number(readFileSync(pidFile, "utf8")), "SIGTERM");
  try {
    await until(() => run.said().includes("does not answer"), "the silence");
    project.write("go", "");
    await sleep(5000);
  } finally {
    execFileSync("slurmctld");
  }
  const { code, out } = await run.ended;
  expect(code).toBe(0);
  expect(out.match(/does not answer/g)).toHaveLength(1);
  expect(out).toContain("answers again");
  expect(project.ran().sort()).toEqual(["after", "numbers", "slow"]);
  expect(jobs()).toHaveLength(3);
});

test("Ctrl-C ends the jobs and what they run", async () => {
  project.write("pipeline.yaml", SLOW);
  const run = project.start(...SLURM);
  await until(started, "the stage");
  run.child.kill("SIGINT");
  expect((await run.ended).code).toBe(130);
  await until(() => open().length === 0, "the end of the jobs");
  await until(() => pids().every((pid) => !existsSync(`/proc/${pid}`)), "the end of the stage");
});

test("what waits for a stage that failed does not wait for ever", async () => {
  project.write(
    "pipeline.yaml",
    JSON.stringify({
      profiles: { small: {} },
      stages: {
        bad: { uses: "trouble", matrix: { by: ["1", "2"] }, with: { mode: "throw", word: "${by}" } },
        after: {
          uses: "trouble",
          matrix: "bad",
          inputs: { values: "bad.text" },
          with: { word: "${by}" },
        },
        other: { uses: "numbers" },
      },
      slurm: { poll: 1 },
    }),
  );
  const { code, out, err } = await project.run(...SLURM, "--keep-going");
  expect(code).toBe(1);
  // A failure that other lines followed is repeated at the end: each is counted once.
  expect([...new Set(out.match(/✗ .*the sum is wrong/g))].sort()).toEqual([
    expect.stringMatching(/^✗ bad\[by=1\]: /),
    expect.stringMatching(/^✗ bad\[by=2\]: /),
  ]);
  expect(err).toContain("2 stages failed, 2 stages skipped");
  expect(project.ran().sort()).toEqual(["bad[by=1]", "bad[by=2]", "other"]);
  expect(open()).toEqual([]);
});
