/** A tiny project in a folder of its own, with stages that do sums: what the tests of the runner run on. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const MAIN = resolve("runner/main.mjs");

const schema = (properties: object) =>
  JSON.stringify({ type: "object", additionalProperties: false, properties });

/** Where every stage tells that it ran, so that tests can count: among the packages, which nobody traces. */
export const RAN = "node_modules/ran.log";

const FILES: Record<string, string> = {
  "pipeline.yaml": `
profile: small
vars:
  start: 1
profiles:
  small:
    vars: { factors: [2, 3] }
  large:
    check: { tolerance: 0.5 }
    vars: { factors: [2, 3, 4, 5] }
stages:
  numbers:
    uses: numbers
    with: { start: "\${start}" }
  scale:
    uses: scale
    matrix: { by: "\${factors}" }
    inputs: { values: numbers.values }
    with: { how: { use: times, by: "\${by}" } }
  total:
    uses: total
    publish: reports/\${profile}
    inputs: { values: scale.values }
`,

  "schemas/numbers.params.schema.json": schema({
    count: { type: "integer", minimum: 1, default: 3 },
    start: { type: "number", default: 1 },
  }),
  "stages/numbers/stage.ts": `
import { appendFileSync, writeFileSync } from "node:fs";
import { defineStage } from "../../runner/stage.ts";
import { count } from "../shared/sums.ts";
export default defineStage<{ count: number; start: number }>({
  params: "numbers",
  inputs: {},
  outputs: { values: "values.json" },
  async run({ id, params, outputs }) {
    appendFileSync("${RAN}", id + "\\n");
    writeFileSync(outputs.values, JSON.stringify(count(params.start, params.count)));
  },
});
`,

  "schemas/scale.params.schema.json": schema({ how: { type: "string" }, unit: { enum: ["m", "km"] } }),
  "stages/scale/stage.ts": `
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { defineStage } from "../../runner/stage.ts";
export default defineStage({
  params: "scale",
  parts: { how: "hows" },
  inputs: { values: "values" },
  outputs: { values: "values.json", seconds: { path: "seconds.json", measured: true } },
  async run({ id, inputs, outputs, parts, note }) {
    appendFileSync("${RAN}", id + "\\n");
    const values = JSON.parse(readFileSync(inputs.values, "utf8")) as number[];
    const how = parts.how.part as { apply(value: number, params: unknown): number };
    note("how", parts.how.name);
    writeFileSync(outputs.values, JSON.stringify(values.map((value) => how.apply(value, parts.how.params))));
    writeFileSync(outputs.seconds, JSON.stringify(performance.now()));
  },
});
`,
  "stages/scale/hows/times.ts": `
import { times } from "../../shared/sums.ts";
export default {
  params: { by: { type: "number", default: 2 } },
  apply: (value: number, { by }: { by: number }) => times(value, by),
};
`,
  "stages/scale/hows/plus.ts": `
export default {
  params: { by: { type: "number" } },
  apply: (value: number, { by }: { by: number }) => value + by,
};
`,
  "stages/shared/sums.ts": `
export const times = (a: number, b: number): number => a * b;
export const count = (start: number, length: number): number[] => Array.from({ length }, (_, i) => start + i);
export const nobodyUses = (a: number): number => a - 1;
`,

  "schemas/total.params.schema.json": schema({ digits: { type: "integer", default: 0 } }),
  "stages/total/stage.ts": `
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage } from "../../runner/stage.ts";
export default defineStage({
  params: "total",
  inputs: { values: { artifact: "values", many: true }, extra: { artifact: "values", optional: true } },
  outputs: {
    metrics: "metrics.json",
    tables: "tables/",
    timings: { path: "timings.json", measured: true },
  },
  async run({ id, sources, outputs, upstream }) {
    appendFileSync("${RAN}", id + "\\n");
    const lists = sources.values.map(({ path }) => JSON.parse(readFileSync(path, "utf8")) as number[]);
    writeFileSync(outputs.metrics, JSON.stringify({ total: lists.flat().reduce((sum, one) => sum + one, 0) }));
    for (const [index, list] of lists.entries())
      writeFileSync(join(outputs.tables, index + ".csv"), list.join("\\n"));
    writeFileSync(outputs.timings, JSON.stringify({ now: performance.now(), upstream }));
  },
});
`,

  "schemas/trouble.params.schema.json": schema({
    mode: { type: "string", default: "none" },
    word: { type: "string" },
  }),
  "stages/trouble/stage.ts": `
import { spawn } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { defineStage, UserError } from "../../runner/stage.ts";
export default defineStage<{ mode: string }>({
  params: "trouble",
  inputs: { values: { artifact: "values", optional: true } },
  outputs: { text: "text.txt" },
  async run({ id, params, outputs, progress, warn }) {
    appendFileSync("${RAN}", id + "\\n");
    switch (params.mode) {
      case "throw":
        throw new Error("the sum is wrong\\nand more of it");
      case "later":
        setImmediate(() => {
          throw new Error("the sum is wrong, later");
        });
        await sleep(60_000);
        break;
      case "user":
        throw new UserError("values.json: row 3 is not a number. Correct it.");
      case "text":
        throw "a text, \u001b[31mred\u001b[0m";
      case "reject":
        void Promise.reject("a text, rejected");
        await sleep(60_000);
        break;
      case "null":
        throw null;
      case "empty":
        throw new Error();
      case "never":
        await new Promise(() => {});
        break;
      case "thread":
        // Its answer comes from a thread that keeps no process.
        await new Promise((done) => {
          const worker = new Worker("setTimeout(() => require('node:worker_threads').parentPort.postMessage(1), 400)", { eval: true });
          worker.once("message", done);
          worker.unref();
        });
        break;
      case "kill":
        process.kill(process.pid, "SIGKILL");
        break;
      case "exit":
        process.exit(7);
        break;
      case "full":
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      case "fill":
        writeFileSync(outputs.text, Buffer.alloc(64 << 20));
        break;
      case "nothing":
        return;
      case "warn":
        warn("two rows look odd.");
        break;
      case "sleep":
        // A child of its own, which must not be left behind either.
        appendFileSync("pids.log", process.pid + "\\n" + spawn("sleep", ["60"], { stdio: "ignore" }).pid + "\\n");
        for (let second = 0; second < 60; second++) {
          progress(second, 60, "seconds");
          await sleep(1000);
        }
        break;
      case "deaf":
        process.on("SIGTERM", () => {});
        appendFileSync("pids.log", process.pid + "\\n");
        await sleep(60_000);
        break;
      case "pause":
        await sleep(1500);
        break;
    }
    writeFileSync(join(outputs.text), params.mode);
  },
});
`,
};

/** How a command ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** A command that runs. */
export interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Its output so far. */
  said(): string;
}

export class Project {
  readonly root: string;
  /** More variables for the environment of its processes. */
  env: Record<string, string> = {};

  /** @param files more files, or others in the place of those above */
  constructor(files: Record<string, string> = {}) {
    this.root = mkdtempSync(join(tmpdir(), "deephash-project-"));
    this.reset(files);
  }

  /**
   * Makes it as new: its store, its reports and all other outputs are gone. The memo of its code
   * stays, as long as the code does, for bundling takes longer than most tests.
   */
  reset(files: Record<string, string> = {}): void {
    for (const name of readdirSync(this.root))
      if (!["stages", "schemas", "runner", "node_modules"].includes(name))
        rmSync(this.path(name), { recursive: true, force: true });
    rmSync(this.path(RAN), { force: true });
    const all = { ...FILES, ...files };
    for (const path of ["runner/stage.ts", "schemas/pipeline.schema.json"])
      all[path] = readFileSync(resolve(path), "utf8");
    for (const [path, text] of Object.entries(all))
      if (!existsSync(this.path(path)) || this.read(path) !== text) this.write(path, text);
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }
  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }
  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }
  /** Puts one text in the place of another. */
  edit(path: string, before: string | RegExp, after: string): void {
    const text = this.read(path);
    const changed = text.replace(before, after);
    if (changed === text) throw new Error(`${path} holds no ${before}`);
    this.write(path, changed);
  }

  /** The ids of the stages that ran since the last call, in order of their start. */
  ran(): string[] {
    const path = this.path(RAN);
    const ids = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").filter(Boolean) : [];
    rmSync(path, { force: true });
    return ids;
  }

  /** Starts `npm run pipeline -- ARGS`. */
  start(...args: string[]): Started {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.root,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, VITEST: undefined, ...this.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (data) => {
      out += data;
    });
    child.stderr.on("data", (data) => {
      err += data;
    });
    const ended = new Promise<Ended>((done) =>
      child.on("close", (code, signal) => done({ code, signal, out, err })),
    );
    return { child, ended, said: () => out + err };
  }
  /** Runs `npm run pipeline -- ARGS`. */
  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
