/** The process a stage runs in: loads the bundle it is told, runs it, and reports over the channel. */
import { appendFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { InputFile, Part, Scalar, StageDefinition } from "../stage.ts";

/** What the runner tells the process. */
export interface Order {
  id: string;
  bundle: string;
  params: Record<string, unknown>;
  parts: Record<string, { name: string; bundle: string; params: Record<string, unknown> }>;
  point: Record<string, Scalar>;
  many: string[];
  inputs: Record<string, InputFile[]>;
  outputs: Record<string, string>;
  cpus: number;
  log: string;
}

/** What the process tells the runner. */
export type Report =
  | { kind: "progress"; done: number; total: number; unit: string }
  | { kind: "warn"; line: string }
  | { kind: "done"; notes: Record<string, Scalar>; peakMegabytes: number }
  | { kind: "failed"; message: string; user: boolean; detail: string };

/** Progress is cheap to call, so it must be thinned out before it is sent. */
const PROGRESS_MILLISECONDS = 100;

const send = (report: Report): Promise<void> =>
  new Promise((sent) => (process.connected ? process.send!(report, () => sent()) : sent()));

async function load<T>(bundle: string): Promise<T> {
  return (await import(pathToFileURL(bundle).href)).default as T;
}

async function run(order: Order): Promise<void> {
  const cancelled = new AbortController();
  process.on("SIGTERM", () => cancelled.abort());
  const write = (line: string) => appendFileSync(order.log, `${new Date().toISOString()} ${line}\n`);
  const notes: Record<string, Scalar> = {};
  let lastProgress = 0;
  try {
    const definition = await load<StageDefinition>(order.bundle);
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
      id: order.id,
      point: order.point,
      cpus: order.cpus,
      progress(done, total, unit) {
        const now = performance.now();
        if (now - lastProgress < PROGRESS_MILLISECONDS && done !== total) return;
        lastProgress = now;
        void send({ kind: "progress", done, total, unit });
      },
      log: write,
      warn(line) {
        write(`warning: ${line}`);
        void send({ kind: "warn", line });
      },
      note(name, value) {
        notes[name] = value;
      },
      signal: cancelled.signal,
    });
    await send({ kind: "done", notes, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) });
    process.exit(0);
  } catch (error) {
    const { name, message, stack, code } = error as NodeJS.ErrnoException;
    write(stack ?? message);
    const text =
      code === "ENOSPC"
        ? `the disk is full (${message}). Free some space and run again: what is done is kept.`
        : String(message).split("\n")[0];
    await send({ kind: "failed", message: text, user: name === "UserError", detail: stack ?? "" });
    process.exit(1);
  }
}

// A stage must not outlive its runner.
process.on("disconnect", () => process.exit(1));
process.once("message", (order) => void run(order as Order));
