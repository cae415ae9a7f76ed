/**
 * How long a run takes that has nothing to do, Node's own start included, on a study of 200 stage instances that made
 * 1 GB of artifacts and read an input of 500 MB; beside it a bare `node -e 0`. The limit is 0.3 s.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Project } from "../test/runner/project.ts";

const RUNS = 15;
const LIMIT_SECONDS = 0.3;

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
  // 99 + 99 + 1 + 1 instances; each of the first makes 10.2 MB, no two alike.
  const sizes = Array.from({ length: 99 }, (_, index) => 10_200_000 + index);
  const stages = {
    large: {
      run: "truncate -s ${bytes} ${out.values}",
      matrix: { bytes: sizes },
      inputs: { source: "./source.bin" },
      outputs: { values: "values.bin" },
    },
    size: {
      run: "wc -c < ${in.values} > ${out.size}",
      matrix: "large",
      inputs: { values: "large.values" },
      outputs: { size: "size.txt" },
    },
    all: {
      run: "cat ${in.sizes} > ${out.text}",
      inputs: { sizes: "size.size" },
      outputs: { text: "all.txt" },
    },
    report: {
      run: "wc < ${in.text} > ${out.report}",
      inputs: { text: "all.text" },
      outputs: { report: "report.txt" },
      publish: "reports",
    },
  };
  project.write("pipeline.yaml", JSON.stringify({ profiles: { small: {} }, stages }));
  writeFileSync(project.path("source.bin"), Buffer.alloc(500 << 20));
  const bare = time(["-e", "0"], project.root);
  show("node -e 0", bare, bare.median);
  const { code, err } = await project.run();
  if (code !== 0) throw new Error(err);
  show("nothing to do, 200 instances", time([main], project.root), bare.median);
  const real = spawnSync(process.execPath, [main, "status"], { encoding: "utf8" });
  if (real.status === 0 && !/to run|waiting/.test(real.stdout))
    show("nothing to do, pipeline.yaml", time([main], "."), bare.median);
  else console.log("pipeline.yaml: not up to date, so there is no run with nothing to do. Run it first.");
} finally {
  project.remove();
}
