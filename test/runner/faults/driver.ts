/**
 * A run of three small stages without the costs of a real one: `execute`, the plan, the store and `publish` as the
 * commands use them, but stages that are no more than a function of this process. So hundreds of runs that go
 * wrong fit into a test. Bundled, and run in the folder it works in: `node driver.mjs [STAGE …]`.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../../runner/files/statcache.ts";
import { Plan } from "../../../runner/plan/plan.ts";
import type { Task } from "../../../runner/plan/task.ts";
import { missingForPublish, publish, refuseObstacles } from "../../../runner/publish/publish.ts";
import { Events } from "../../../runner/run/events.ts";
import { execute } from "../../../runner/run/execute.ts";
import type { Executor } from "../../../runner/run/executor.ts";
import { Store } from "../../../runner/store/store.ts";
import { diskFault } from "../../../runner/text/disk-errors.ts";

const root = process.cwd();
const wanted = process.argv.slice(2);

const task = (id: string, from: string[], outputs: Task["outputs"], more: Partial<Task> = {}): Task => ({
  id,
  stage: id,
  point: {},
  inputs: { values: from.map((reference) => ({ id: reference, output: "values" })) },
  with: {},
  retries: 0,
  at: () => "",
  codeHash: sha256("one"),
  params: {},
  parts: {},
  many: [],
  named: [],
  tolerant: [],
  outputs,
  cpus: 1,
  ...more,
});
const file = { path: "values.json", measured: false };
const tasks = [
  task("first", [], { values: file }),
  task("second", ["first"], {
    values: file,
    table: { path: "table/", measured: false },
    seconds: { path: "seconds.json", measured: true },
  }),
  task(
    "third",
    ["second"],
    { values: file, clock: { path: "clock/", measured: true } },
    { publish: "reports" },
  ),
].filter(({ id }) => wanted.length === 0 || wanted.includes(id));

/** Writes what the inputs hold and one line more into every output. */
const executor: Executor = async ({ task: { id }, inputs, outputs, log }) => {
  appendFileSync("ran.log", `${id}\n`);
  appendFileSync(log, `${id} runs\n`);
  const lines = Object.values(inputs).flatMap((files) => files.map(({ path }) => readFileSync(path, "utf8")));
  const text = `${lines.join("")}${id}\n`;
  for (const [name, path] of Object.entries(outputs)) {
    const content = name === "seconds" || name === "clock" ? String(performance.now()) : text;
    if (!path.endsWith("/")) writeFileSync(path, content);
    else {
      mkdirSync(join(path, "below"), { recursive: true });
      for (const below of ["a", "below/b"]) writeFileSync(join(path, below), `${below}\n${content}`);
    }
  }
  return { notes: {}, peakMegabytes: 0 };
};

const say = (line: string) => console.log(line);
try {
  const events = new Events();
  events.listen({
    started: ({ task, reason }) => say(`▸ ${task.id}  (${reason})`),
    warned: ({ message }) => say(message),
    failed: ({ task, error }) => say(`${task.id}: ${error.message}`),
  });
  const store = new Store(join(root, "cache"), events.tell);
  const plan = new Plan(tasks, store, root, new Set(), store.latest("small"), events.tell);
  refuseObstacles(tasks, store, root);
  const leave = await store.enter(() => {});
  store.sweep();
  plan.advance();
  for (const { id, fault } of missingForPublish(plan, store, root)) plan.redo(id, fault);
  const summary = await execute(
    plan,
    store,
    { root, jobs: 1, keepGoing: false, executor, signal: new AbortController().signal },
    events,
  );
  const keys = Object.fromEntries(
    [...plan.states].flatMap(([id, state]) => ("record" in state ? [[id, state.key]] : [])),
  );
  if (!summary.failed) {
    store.keepLatest("small", keys);
    store.keepRun("small", keys, true);
    store.save();
    publish(plan, store, root);
  }
  leave();
  process.exitCode = summary.failed ? 1 : 0;
} catch (error) {
  say(diskFault(error as Error));
  process.exitCode = 1;
}
