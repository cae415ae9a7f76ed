/**
 * The overhead of a stage on a Slurm cluster, measured on the cluster of this machine: submitting, polling, starting
 * a job, one after another; and what follows for studies of 1,000 and 10,000 stages. The jobs do nothing.
 * `node bench/run.mjs slurm [--partition NAME]`
 */
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { arrays, dependency, group, type JobArray } from "../runner/run/slurm/group.ts";
import { Project } from "../test/runner/project.ts";
import { task } from "../test/runner/run/slurm/tasks.ts";

const given = process.argv.indexOf("--partition");
const where = given < 0 ? [] : [`--partition=${process.argv[given + 1]}`];
const REPEATS = 9;

const slurm = (command: string, args: string[], input = "") =>
  execFileSync(command, args, { encoding: "utf8", input, maxBuffer: 1 << 28 }).trim();
const submit = (args: string[], script = "#!/bin/sh\ntrue\n") =>
  slurm("sbatch", ["--parsable", "--output=/dev/null", ...where, ...args], script);

/** Seconds of some work: the median of several times. @param undo called after each, outside the time */
function seconds<T>(work: () => T, undo: (made: T) => void = () => {}, repeats = REPEATS): number {
  const times = Array.from({ length: repeats }, () => {
    const began = performance.now();
    const made = work();
    const took = (performance.now() - began) / 1000;
    undo(made);
    return took;
  }).sort((a, b) => a - b);
  return times[repeats >> 1];
}
const show = (what: string, value: number, digits = 3) =>
  console.log(`${what.padEnd(62)} ${value.toFixed(digits)} s`);
const cancel = (ids: string[]) => ids.length && slurm("scancel", ids);
/** Until none of these jobs waits or runs. */
async function ended(ids: string[]): Promise<void> {
  while (
    slurm("squeue", [
      "--noheader",
      `--jobs=${ids.join()}`,
      "--states=PENDING,RUNNING,COMPLETING",
      "--format=%i",
    ])
  )
    await sleep(100);
}

const config = slurm("scontrol", ["show", "config"]);
for (const name of ["SLURM_VERSION", "MaxArraySize", "MaxJobCount", "MinJobAge", "SchedulerParameters"])
  console.log(`${name.padEnd(24)} ${new RegExp(`^${name}\\s*=\\s*(.*)$`, "m").exec(config)?.[1] ?? "?"}`);

const drop = (job: string) => cancel([job]);
const one = seconds(() => submit(["--hold"]), drop);
show("one job: sbatch", one);
const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)![1]) - 1;
const array = () => submit(["--hold", `--array=0-${size - 1}`]);
const whole = seconds(array, drop, 3); // cancelled jobs count for MaxJobCount until MinJobAge has passed
show(`an array of ${size}: sbatch`, whole);
const held = array();
const ask = ["--noheader", "--array", "--all", "--states=PENDING", "--format=%F|%K|%T|%r|%N|%j"];
show(
  "squeue with that array in the queue, a row an element",
  seconds(() => slurm("squeue", ask)),
);
for (const count of [100, 1000]) {
  const ids = Array.from({ length: count }, (_, index) => `${held}_${index}`).join(":");
  show(
    `one job that waits for ${count} elements by name: sbatch`,
    seconds(() => submit([`--dependency=afterok:${ids}`]), drop),
  );
}
cancel([held]);

/** Seconds a chain of jobs takes, each after the one before, a job. */
const LINKS = 5;
const began = performance.now();
const chain: string[] = [];
for (let link = 0; link < LINKS; link++)
  chain.push(submit(link ? [`--dependency=afterok:${chain.at(-1)}`] : []));
await ended(chain);
const link = (performance.now() - began) / 1000 / LINKS;
show("a chain of jobs that do nothing, a job", link);

// The process of a job: Node, the plan, the store, on stages that do nothing but write a file.
const project = new Project();
const main = join(process.cwd(), "runner/main.mjs");
const cores = Number(slurm("sinfo", ["--noheader", "--format=%C", ...where]).split("/")[3]);
/** Seconds of a run of so many stages. @param group seconds of stages that one job may hold */
function run(stages: number, group: number, ...args: string[]): number {
  const axis = Array.from({ length: stages }, (_, n) => n);
  const slurm = { poll: 1, group, ...(given < 0 ? {} : { partition: process.argv[given + 1] }) };
  const numbers = { uses: "numbers", matrix: { n: axis }, with: { start: "${n}" } };
  project.write("pipeline.yaml", JSON.stringify({ profiles: { small: {} }, stages: { numbers }, slurm }));
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: project.root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return (performance.now() - began) / 1000;
}
const MANY = 40;
run(1, 0, "status"); // builds everything that is built once
const few = run(cores, 0, "--executor", "slurm");
const many = run(MANY + cores, 0, "--executor", "slurm");
const alone = ((many - few) * cores) / MANY;
const grouped = run(MANY + cores, 3600, "--executor", "slurm", "--force");
const shared = (grouped - few) / (MANY + cores);
project.remove();
show("a run that submits a job a core, of a stage that does nothing", few);
show(`each stage more, a job of its own, of a core (on ${cores})`, alone);
show("each stage more, in one job with others", Math.max(0, shared));

/** Seconds to group a study of so many stages and to write what it waits for; and how often sbatch is called. */
function study(stages: number): { plan: number; calls: number; longest: number } {
  const points = Math.floor(stages / 4);
  const all = ["train", "embed", "evaluate", "map"].flatMap((stage, at, names) =>
    Array.from({ length: points }, (_, n) =>
      task(`${stage}[n=${n}]`, at ? [`${names[at - 1]}[n=${n}]`] : []),
    ),
  );
  all.push(
    task(
      "report",
      all.slice(-points).map(({ id }) => id),
    ),
  );
  const start = performance.now();
  const found = arrays(
    group(all, new Map(), { group: 0, shapeOf: () => "", secondsOf: () => undefined, recipeOf: (id) => id }),
    size,
  );
  const jobs = new Map<JobArray, string>();
  const waits = found.found.map((array) => {
    const word = dependency(array, found.placeOf, jobs);
    jobs.set(array, String(1000 + jobs.size));
    return word.length;
  });
  return { plan: (performance.now() - start) / 1000, calls: waits.length, longest: Math.max(...waits) };
}
for (const stages of [1000, 10_000]) {
  const { plan, calls, longest } = study(stages);
  console.log(
    `${stages} stages (a matrix, three that follow it, a report): grouped in ${plan.toFixed(2)} s; ` +
      `${calls} calls of sbatch, ${(calls * whole).toFixed(2)} s (one by one ${(stages * one).toFixed(0)} s); ` +
      `longest --dependency ${longest} characters; on 100 cores ${((stages * alone) / 100).toFixed(0)} s beside their own work, ` +
      `${((stages * shared) / 100).toFixed(0)} s where short ones share jobs`,
  );
}
