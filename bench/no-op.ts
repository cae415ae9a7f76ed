/**
 * How long a run takes that has nothing to do, Node's own start included, on a study of 75 stage instances; beside
 * it a bare `node -e 0`. The limit is half a second.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { Project } from "../test/runner/project.ts";

const RUNS = 15;
const LIMIT_SECONDS = 0.5;

/** Median and fastest of the seconds a command takes. @throws when it does not end well */
function time(args: string[], cwd: string): { median: number; best: number; out: string } {
  let out = "";
  const seconds = Array.from({ length: RUNS }, () => {
    const began = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
    const took = (performance.now() - began) / 1000;
    if (status !== 0) throw new Error(`node ${args.join(" ")}: exit code ${status}: ${stderr}`);
    out = stdout.trim();
    return took;
  }).sort((a, b) => a - b);
  return { median: seconds[RUNS >> 1], best: seconds[0], out };
}

const show = (name: string, { median, best, out }: ReturnType<typeof time>, bare: number) =>
  console.log(
    `${name.padEnd(34)} median ${median.toFixed(3)} s, best ${best.toFixed(3)} s, ${(median / bare).toFixed(1)} x bare Node, ` +
      `${(median / LIMIT_SECONDS).toFixed(2)} of the limit${out ? `  (${out})` : ""}`,
  );

const main = resolve("runner/main.mjs");
const project = new Project();
try {
  // 1 + 36 + 36 + 1 + 1 instances.
  project.write(
    "pipeline.yaml",
    `
profiles: { small: {} }
stages:
  numbers: { uses: numbers }
  scale:
    uses: scale
    matrix: { by: [1, 2, 3, 4, 5, 6], kind: [a, b, c], seed: [1, 2] }
    inputs: { values: numbers.values }
    with: { how: { use: times, by: "\${matrix.by}" } }
  again:
    uses: scale
    matrix: scale
    inputs: { values: scale.values }
    with: { how: { use: plus, by: "\${matrix.seed}" } }
  inner: { uses: total, inputs: { values: scale.values } }
  total: { uses: total, publish: reports, inputs: { values: again.values } }
`,
  );
  const bare = time(["-e", "0"], project.root);
  show("node -e 0", bare, bare.median);
  const { code, err } = await project.run();
  if (code !== 0) throw new Error(err);
  show("nothing to do, 75 instances", time([main], project.root), bare.median);
  const real = spawnSync(process.execPath, [main, "status"], { encoding: "utf8" });
  if (real.status === 0 && !/to run|waiting/.test(real.stdout))
    show("nothing to do, pipeline.yaml", time([main], "."), bare.median);
  else console.log("pipeline.yaml: not up to date, so there is no run with nothing to do. Run it first.");
} finally {
  project.remove();
}
