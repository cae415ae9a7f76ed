/**
 * The process a stage runs in: loads the bundle it is told (or takes the command), runs it, and reports over the channel.
 * Where it may, it then waits for another instance of the same stage.
 */
import { appendFileSync, closeSync, openSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type {
  CheckpointPlace,
  DownloadFolders,
  InputFile,
  Part,
  Scalar,
  StageDefinition,
  UpstreamRun,
} from "../../stage.ts";
import { shortened } from "../../text/index.ts";
import { type Failure, toStageError } from "../index.ts";
import { watchGroup } from "./memory.ts";
import { runCommand } from "./shell.ts";

/** The message of the runner to the process. */
export interface Order {
  id: string;
  /** The stage's code, or the shell command in its place. */
  bundle?: string;
  command?: string;
  /** The variables of the command beside those of this process. */
  env: Record<string, string>;
  params: Record<string, unknown>;
  parts: Record<string, { name: string; bundle: string; params: Record<string, unknown> }>;
  point: Record<string, Scalar>;
  many: string[];
  inputs: Record<string, InputFile[]>;
  outputs: Record<string, string>;
  upstream: UpstreamRun[];
  cpus: number;
  downloads: DownloadFolders;
  checkpoint?: CheckpointPlace;
  log: string;
  trace: string;
  /** Whether the process may wait for another order when it is done. */
  reusable: boolean;
}

/** The messages of the process to the runner. */
export type Report =
  /** It has taken the order: what goes wrong from here on is the stage's own. */
  | { kind: "begun" }
  | { kind: "progress"; done: number; total: number; unit: string; megabytes: number }
  | { kind: "warn"; line: string }
  /** `megabytes`: those that the process holds while it waits for another order. */
  | {
      kind: "done";
      notes: Record<string, Scalar>;
      peakMegabytes: number;
      waits: boolean;
      megabytes: number;
    }
  | { kind: "failed"; failure: Failure };

/** Progress is cheap to call, so it must be thinned out before it is sent. */
const PROGRESS_MILLISECONDS = 100;

/** Characters of a warning that the runner is told. */
const LONGEST_WARNING = 10_000;

/** How often a process must be found with nothing to do, and how far apart: a thread it does not count may be at work. */
const IDLE_LOOKS = 10;
const IDLE_MILLISECONDS = 100;

const send = (report: Report): Promise<void> =>
  new Promise((sent) => (process.connected ? process.send!(report, () => sent()) : sent()));

async function load<T>(bundle: string): Promise<T> {
  return (await import(pathToFileURL(bundle).href)).default as T;
}

/** Runs the stage's own code. @returns what it noted */
async function runStage(
  order: Order,
  bundle: string,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<{ notes: Record<string, Scalar>; ends: boolean }> {
  const notes: Record<string, Scalar> = {};
  let lastProgress = 0;
  let ends = false;
  let over = false; // what a stage says after its end would be said of the next one
  const definition = await load<StageDefinition>(bundle);
  const parts: Record<string, Part> = {};
  for (const [param, { name, bundle, params }] of Object.entries(order.parts))
    parts[param] = { name, params, part: await load(bundle) };
  const inputs: Record<string, string> = {};
  for (const [name, files] of Object.entries(order.inputs))
    if (!order.many.includes(name) && files.length) inputs[name] = files[0].path;
  await definition.run({
    params: order.params,
    parts,
    inputs,
    sources: Object.fromEntries(
      [...Object.keys(definition.inputs)].map((name) => [name, order.inputs[name] ?? []]),
    ),
    outputs: order.outputs,
    upstream: order.upstream,
    id: order.id,
    point: order.point,
    cpus: order.cpus,
    downloads: order.downloads,
    checkpoint: order.checkpoint,
    progress(done, total, unit) {
      const now = performance.now();
      if (over) return;
      if (now - lastProgress < PROGRESS_MILLISECONDS && done !== total) return;
      lastProgress = now;
      const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
      void send({ kind: "progress", done, total, unit, megabytes });
    },
    log: write,
    warn(line) {
      if (over) return;
      write(`warning: ${line}`);
      void send({ kind: "warn", line: shortened(line, LONGEST_WARNING) });
    },
    note(name, value) {
      notes[name] = value;
    },
    endProcess() {
      ends = true;
    },
    signal,
  });
  over = true;
  return { notes, ends };
}

/** Megabytes above which a process ends with its stage: what waits takes memory from what runs. */
const MOST_MEGABYTES = 1024;

/** Turns of the event loop in which what a stage has closed comes to its end. */
const TURNS = 10;

/** Whether the stage left nothing running that the next one would meet. */
async function isAtRest(): Promise<boolean> {
  if (process.memoryUsage.rss() > MOST_MEGABYTES * 1e6) return false;
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise(setImmediate);
    if (process.getActiveResourcesInfo().length === 0) return true;
  }
  return false;
}

/** Brings what the last stage changed of the process to how the next one expects it. @throws Error where it cannot */
function renew({ log, trace }: Order): void {
  process.env.DEEPHASH_TRACE = trace;
  // The system gives the lowest number that is free.
  for (const output of [1, 2]) {
    closeSync(output);
    if (openSync(log, "a") !== output) throw new Error(`the output ${output} could not be opened.`);
  }
  try {
    writeFileSync("/proc/self/clear_refs", "5"); // the peak of memory starts at 0 again
  } catch {} // only Linux can: the peak is then that of all stages of this process
}

/** Runs an order. Ends the process, unless it may wait for another order. */
async function run(order: Order): Promise<void> {
  const write = (line: string) => appendFileSync(order.log, `${new Date().toISOString()} ${line}\n`);
  fail = async (error: unknown): Promise<never> => {
    const { failure } = toStageError(error);
    try {
      write(failure.detail);
    } catch {} // a full disk takes no log either; the runner is told below
    await send({ kind: "failed", failure });
    process.exit(1);
  };
  process.channel?.unref();
  idleLooks = 0;
  try {
    if (order.command !== undefined) {
      process.on("SIGTERM", () => {}); // the command, of the same group, got it too: it may end in order
      const peak = watchGroup();
      await runCommand(order.command, order.env);
      await send({ kind: "done", notes: {}, peakMegabytes: peak(), waits: false, megabytes: 0 });
    } else {
      const cancelled = new AbortController();
      process.on("SIGTERM", () => cancelled.abort());
      const { notes, ends } = await runStage(order, order.bundle!, write, cancelled.signal);
      const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
      const atRest = order.reusable && !ends && (await isAtRest());
      process.removeAllListeners("SIGTERM"); // it ends at once from here on
      const waits = atRest && !cancelled.signal.aborted;
      const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
      fail = undefined;
      if (waits) {
        process.channel?.ref();
        process.env.DEEPHASH_TRACE = ""; // until the next one says where: the folder of this one is removed
      }
      await send({ kind: "done", notes, peakMegabytes, waits, megabytes });
      if (waits) return;
    }
    process.exit(0);
  } catch (error) {
    await failed(error);
  }
}

/** Fails the stage that runs; undefined between two. */
let fail: ((error: unknown) => Promise<never>) | undefined;

/** How often in succession this process was found with nothing to do. */
let idleLooks = 0;

/** Between two stages there is nobody to tell. */
const failed = async (error: unknown): Promise<void> => (fail ? fail(error) : process.exit(1));

/**
 * Fails a stage that waits for a promise which nothing is left to settle: it would wait for ever, or the process would
 * end as if all were well. The channel to the runner does not count as something left.
 */
function failWhenIdle(): void {
  process.on("beforeExit", () => {
    if (idleLooks++ < IDLE_LOOKS) setTimeout(() => {}, IDLE_MILLISECONDS);
    else
      void failed(
        new Error(
          "its run() waits for a promise that nothing is left to settle. Resolve or reject it on every way.",
        ),
      );
  });
}

process.on("uncaughtException", failed); // thrown in a callback, or by a log that takes no more lines
process.on("unhandledRejection", failed); // else Node wraps any other value in an error of its own
failWhenIdle();
// A stage must not outlive its runner, and neither may what it started: they are one process group.
process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
let first = true;
process.on("message", (order: Order | "end") => {
  if (order === "end") process.exit(0);
  try {
    if (!first) renew(order);
    first = false;
    void send({ kind: "begun" });
    void run(order);
  } catch {
    process.exit(1);
  }
});
