/**
 * How long 10,000 instances of two matrices, one joined to the other, take from pipeline.yaml to a plan, in one
 * process: expand, resolve, and the state of every instance. The limit is one second.
 */
import { join } from "node:path";
import { CodeBook } from "../runner/code/bundle.ts";
import { Plan } from "../runner/plan/plan.ts";
import { resolve } from "../runner/plan/tasks.ts";
import { Store } from "../runner/store/store.ts";
import { expand } from "../runner/study/expand.ts";
import { load } from "../runner/study/load.ts";
import { Project } from "../test/runner/project.ts";

const RUNS = 5;
const LIMIT_SECONDS = 1;

const project = new Project({
  "pipeline.yaml": JSON.stringify({
    profiles: { small: {} },
    stages: {
      numbers: { uses: "numbers" },
      scale: {
        uses: "scale",
        matrix: { by: Array.from({ length: 2500 }, (_, index) => index), unit: ["m", "km"] },
        inputs: { values: "numbers.values" },
        with: { how: { use: "times", by: "${by}" }, unit: "${unit}" },
      },
      again: {
        uses: "scale",
        matrix: "scale",
        inputs: { values: "scale.values" },
        with: { how: { use: "plus", by: "${by}" } },
      },
    },
  }),
});
try {
  const { root } = project;
  // The code is bundled once, and a record of `numbers` is what the others are planned on.
  const first = await project.run("--only", "numbers");
  if (first.code !== 0) throw new Error(first.err);
  const store = new Store(join(root, "cache"));
  const best: Record<string, number> = {};
  let instances = 0;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    const spent = process.cpuUsage();
    let last = began;
    const lap = (name: string) => {
      const now = performance.now();
      best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, (now - last) / 1000);
      last = now;
    };
    const study = expand(load(join(root, "pipeline.yaml"), root), undefined);
    lap("load and expand");
    const tasks = await resolve(study, root, new CodeBook(root));
    lap("resolve");
    const plan = new Plan(tasks, store, root, new Set(), {});
    const ready = plan.advance();
    lap("plan");
    best.all = Math.min(best.all ?? Number.POSITIVE_INFINITY, (performance.now() - began) / 1000);
    const { user, system } = process.cpuUsage(spent);
    best.processor = Math.min(best.processor ?? Number.POSITIVE_INFINITY, (user + system) / 1e6);
    instances = tasks.length;
    if (ready.length !== 5000) throw new Error(`${ready.length} instances are ready, not 5000`);
  }
  for (const [name, seconds] of Object.entries(best))
    console.log(`${name.padEnd(16)} ${seconds.toFixed(3)} s`);
  console.log(
    `${instances} instances: ${(best.all / LIMIT_SECONDS).toFixed(2)} of the limit of ${LIMIT_SECONDS} s`,
  );
} finally {
  project.remove();
}
