/**
 * The runner: the pipeline of a project, run by another program.
 *
 * @example
 * for await (const event of run("pipeline.yaml", { profile: "sample" })) console.log(event.event, event.stage);
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { UserError } from "../runner/stage.ts";

export { UserError } from "../runner/stage.ts";

export interface RunOptions {
  /** The project's folder; by default the current one. */
  folder?: string;
  profile?: string;
  /** Values of params and vars: `{ "train.dim": 64 }`. */
  set?: Record<string, string | number | boolean>;
  /** Other options of `deephash run`. */
  args?: string[];
  /** Stops the run as Ctrl-C does: finished results stay in the cache. */
  signal?: AbortSignal;
}

/** One line of `deephash run --json-lines`: its kind, and what belongs to it; see docs/commands.md. */
export type RunEvent = { event: string } & Record<string, unknown>;

/** The package's folder: that of its command. */
function packageFolder(folder = import.meta.dirname): string {
  if (existsSync(join(folder, "bin/deephash.mjs"))) return folder;
  return packageFolder(dirname(folder));
}

/**
 * Runs a pipeline in a process of its own.
 * @param pipeline its file, from the project's folder
 * @returns each event as it comes
 * @throws UserError when an input is invalid; Error when a stage failed, with what the run printed
 */
export async function* run(
  pipeline: string,
  { folder = ".", profile, set = {}, args = [], signal }: RunOptions = {},
): AsyncGenerator<RunEvent> {
  const command = [
    join(packageFolder(), "bin/deephash.mjs"),
    ...["run", "--json-lines", "--pipeline", pipeline],
    ...(profile ? ["--profile", profile] : []),
    ...Object.entries(set).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
    ...args,
  ];
  const child = spawn(process.execPath, command, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const stop = () => child.kill("SIGINT");
  signal?.addEventListener("abort", stop, { once: true });
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  try {
    for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as RunEvent;
    const code = await ended;
    signal?.throwIfAborted();
    if (code === 2) throw new UserError(told.trim());
    if (code !== 0) throw new Error(told.trim() || `the run ended with ${code}`);
  } finally {
    signal?.removeEventListener("abort", stop);
    if (child.exitCode === null) stop(); // whoever asked for events stopped early
  }
}
