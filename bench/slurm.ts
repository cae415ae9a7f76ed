/**
 * What a stage costs on a Slurm cluster beside its own work, measured on the one at hand: submitting, asking, beginning
 * a job, one after another; and what follows for studies of 1,000 and 10,000 stages. The jobs do nothing.
 * `node bench/run.mjs slurm [--partition NAME]`
 */
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { arrays, dependency, group, type JobArray } from "../runner/executors/slurm/group.ts";
import { task } from "../test/runner/executors/slurm/tasks.ts";
import { Project } from "../test/runner/project.ts";

const given = process.argv.indexOf("--partition");
const where = given < 0 ? [] : [`--partition=${process.argv[given + 1]}`];
const REPEATS = 9;

const slurm = (command: string, args: string[], input = "") =>
  execFileSync(command, args, { encoding: "utf8", input, maxBuffer: 1 << 28 }).trim();
const submit = (args: string[], script = "#!/bin/sh\ntrue\n") =>
  slurm("sbatch", ["--parsable", "--output=/dev/null", ...where, ...args], script);

/** Seconds of some work: the median of several times. */
function seconds(work: () => void, repeats = REPEATS): number {
  const times = Array.from({ length: repeats }, () => {
    const began = performance.now();
    work();
    return (performance.now() - began) / 1000;
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

const one = seconds(() => cancel([submit(["--hold"])]));
const cancelled = seconds(() => cancel(["1"]), 3);
show("one job: sbatch", one - cancelled);
const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)![1]) - 1;
let held = "";
const whole = seconds(() => {
  cancel([held].filter(Boolean));
  held = submit(["--hold", `--array=0-${size - 1}`]);
}, 3);
show(`an array of ${size}: sbatch`, whole);
const asked = seconds(() =>
  slurm("squeue", ["--noheader", "--array", "--all", "--states=all", "--format=%F|%K|%T|%r|%N|%j"]),
);
show(`squeue with that array in the queue, a row an element`, asked);

for (const count of [100, 1000]) {
  const ids = Array.from({ length: count }, (_, index) => `${held}_${index}`).join(":");
  const time = seconds(() => cancel([submit([`--dependency=afterok:${ids}`])]), 3) - cancelled;
  show(`one job that waits for ${count} elements by name: sbatch`, time);
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

// The launcher: Node, the plan, the store, on a stage that does nothing but write a file.
const project = new Project();
const MATRIX = 20;
project.write(
  "pipeline.yaml",
  `profiles: { small: {} }\nstages:\n  numbers:\n    uses: numbers\n    matrix: { n: [${Array.from({ length: MATRIX }, (_, n) => n)}] }\n    with: { start: "\${matrix.n}" }\nslurm: { poll: 2, group: 0${where.length ? `, partition: ${process.argv[given + 1]}` : ""} }\n`,
);
const main = join(process.cwd(), "runner/main.mjs");
const run = (...args: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: project.root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
};
run("status");
const start = performance.now();
run("--executor", "slurm");
const nothing = (performance.now() - start) / 1000;
show(
  `${MATRIX} stages that do nothing, a job each, on ${slurm("sinfo", ["-h", "-o", "%C", ...where]).split("/")[3]} cores`,
  nothing,
);
project.remove();

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
    `${stages} stages (a matrix, three that follow it, a report): grouped in ${plan.toFixed(2)} s, ${calls} calls of sbatch, ` +
      `${(calls * whole).toFixed(1)} s to submit as arrays, ${(stages * (one - cancelled)).toFixed(0)} s one by one; longest word of dependencies ${longest} characters`,
  );
}
