/**
 * The cost of a stage that does nothing: stages beside one another and in a chain, less a run that has nothing to do,
 * divided by their number; beside the start of a bare Node process. Once with a process for each stage, and once of a
 * kind whose instances may share one (`reusable`). The limits are 25 ms beside one another and 50 ms in a chain. An
 * argument is the number of stages (40).
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { ECHO } from "../test/runner/echo.ts";
import { Project } from "../test/runner/project.ts";

const RUNS = 3;
const count = Number(process.argv[2] ?? 40);
const main = resolve("runner/main.mjs");

/** Seconds of the fastest run: other work of the machine can only slow it. @param before called before each */
function fastest(args: string[], cwd: string, before: () => void = () => {}): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    before();
    const began = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
    if (status !== 0) throw new Error(`node ${args.join(" ")}: exit code ${status}: ${stdout}${stderr}`);
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return best;
}

const SHAPES = {
  "beside one another": {
    limit: 0.025,
    stages: (uses: string) => ({
      work: {
        uses,
        matrix: { word: Array.from({ length: count }, (_, index) => `w${index}`) },
        with: { word: "${word}" },
      },
    }),
  },
  "in a chain": {
    limit: 0.05,
    stages: (uses: string) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `s${index}`,
          { uses, with: { word: `w${index}` }, inputs: index ? { values: `s${index - 1}.text` } : {} },
        ]),
      ),
  },
};
const KINDS = { trouble: "a process each", echo: "sharing processes" };

const project = new Project();
try {
  const bare = fastest(["-e", "0"], project.root);
  console.log(`node -e 0: ${(bare * 1000).toFixed(0)} ms`);
  for (const [uses, how] of Object.entries(KINDS))
    for (const [name, { limit, stages }] of Object.entries(SHAPES)) {
      const reset = () =>
        project.reset({
          ...ECHO,
          "pipeline.yaml": JSON.stringify({ profiles: { small: {} }, stages: stages(uses) }),
        });
      reset();
      const { status, stderr } = spawnSync(process.execPath, [main, "status"], {
        cwd: project.root,
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(stderr);
      const full = fastest([main], project.root, reset);
      const nothing = fastest([main], project.root);
      const each = (full - nothing) / count;
      console.log(
        `${count} stages ${name}, ${how}: ${(each * 1000).toFixed(0)} ms each, ${(each / bare).toFixed(2)} x node -e 0, ` +
          `${(each / limit).toFixed(2)} of the limit`,
      );
    }
} finally {
  project.remove();
}
