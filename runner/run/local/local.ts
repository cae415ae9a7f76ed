/** Runs a stage, or a shell stage's command, in a child process of its own, with its own process group and log. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { filledEnvironment, stageEnvironment } from "../../code/index.ts";
import { fillCommand } from "../../study/index.ts";
import { after } from "../../text/index.ts";
import { type Executor, type Job, type Outcome, StageError, stageErrorOf } from "../index.ts";
import { CERTIFICATES } from "./certificates.ts";
import type { Order, Report } from "./child.ts";

/** How long a stage may take to end by itself before it is killed. */
const GRACE_MILLISECONDS = 3000;

const CHILD = fileURLToPath(new URL("./child.cjs", import.meta.url));
const TRACE = fileURLToPath(new URL("./trace.cjs", import.meta.url));

/** Signals a whole process group; it may be gone already. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {}
}

function command(job: Job, run: string): string {
  const paths = Object.fromEntries(
    Object.entries(job.inputs).map(([name, files]) => [name, files.map(({ path }) => path)]),
  );
  return fillCommand(run, { in: paths, out: job.outputs, with: job.task.params }, (expression) => {
    throw new Error(`run: nothing is called \${${expression}}.`);
  });
}

/** The process of a stage, before it has its order. */
function startProcess(job: Job): ChildProcess {
  const { NODE_EXTRA_CA_CERTS: certificates, ...visible } = stageEnvironment(process.env);
  const log = openSync(job.log, "a");
  const child = spawn(process.execPath, ["--max-old-space-size=16384", "--require", TRACE, CHILD], {
    cwd: job.root,
    env: {
      ...visible,
      ...(certificates ? { [CERTIFICATES]: certificates } : {}),
      DEEPHASH_TRACE: job.trace,
      ...(job.gpus.length ? { CUDA_VISIBLE_DEVICES: job.gpus.join(",") } : {}),
    },
    stdio: ["ignore", log, log, "ipc"],
    detached: true, // a group of its own: Ctrl-C reaches the runner alone, which ends the group in order
    serialization: "advanced",
  });
  closeSync(log);
  return child;
}

function orderOf(job: Job, env: Record<string, string>): Order {
  const { task } = job;
  const startOf = (bundle: string) => job.start.get(bundle) ?? bundle;
  return {
    id: task.id,
    bundle: task.code && startOf(task.code.bundle),
    command: task.run === undefined ? undefined : command(job, task.run),
    env,
    params: task.params,
    parts: Object.fromEntries(
      Object.entries(task.parts).map(([param, { name, code, params }]) => [
        param,
        { name, bundle: startOf(code.bundle), params },
      ]),
    ),
    point: task.point,
    many: task.many,
    inputs: job.inputs,
    outputs: job.outputs,
    upstream: job.upstream,
    cpus: job.cpus,
    downloads: job.downloads,
    checkpoint: job.checkpoint,
    log: job.log,
  };
}

/**
 * Ends the process group at the stage's timeout and when the run is cancelled: SIGTERM first, SIGKILL after a grace.
 * @returns why the group was ended, if it was; and a function that stops watching
 */
function watch(child: ChildProcess, { task: { timeout }, signal }: Job) {
  let reason: StageError | undefined;
  let cancelKill: (() => void) | undefined;
  const end = (why: StageError) => {
    reason ??= why;
    if (!child.pid) return;
    const { pid } = child;
    signalGroup(pid, "SIGTERM");
    cancelKill ??= after(GRACE_MILLISECONDS, () => signalGroup(pid, "SIGKILL"));
  };
  const cancelTimeout =
    timeout === undefined
      ? undefined
      : after(timeout * 1000, () =>
          end(new StageError(`took longer than its timeout of ${timeout} s and was ended.`, "timeout")),
        );
  const cancel = () => end(new StageError("was cancelled.", "killed"));
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  return {
    reason: () => reason,
    stop() {
      cancelTimeout?.();
      cancelKill?.();
      signal.removeEventListener("abort", cancel);
    },
  };
}

/** The outcome of a process that has exited with this last report. @throws StageError */
function outcomeOf(last: Report | undefined, code: number | null, signal: NodeJS.Signals | null): Outcome {
  if (last?.kind === "done" && code === 0) return { notes: last.notes, peakMegabytes: last.peakMegabytes };
  if (last?.kind === "failed") throw stageErrorOf(last.failure);
  throw new StageError(
    signal === "SIGKILL"
      ? "was killed (SIGKILL), probably because memory ran out. Try --jobs 1, or a smaller batch."
      : `ended ${signal ? `by ${signal}` : `with exit code ${code}`} before it was done. See its log.`,
    "killed",
  );
}

export const local: Executor = async (job) => {
  const order = orderOf(job, filledEnvironment(job.task.env ?? {}, process.env));
  const child = startProcess(job);
  const watched = watch(child, job);
  try {
    let last: Report | undefined;
    child.on("message", (message) => {
      const report = message as Report;
      if (report.kind === "progress")
        job.onProgress(report.done, report.total, report.unit, report.megabytes);
      else if (report.kind === "warn") job.onWarn(report.line);
      else last = report;
    });
    child.on("exit", () => {
      if (child.pid) signalGroup(child.pid, "SIGKILL"); // the processes that the stage started and did not end
    });
    return await new Promise<Outcome>((resolve, reject) => {
      child.on("error", (error) => reject(new StageError(`could not be started: ${error.message}`)));
      // "exit" may come before the last report, "close" comes after it.
      child.on("close", (code, signal) => {
        try {
          const reason = watched.reason();
          if (reason) throw reason;
          resolve(outcomeOf(last, code, signal));
        } catch (error) {
          reject(error);
        }
      });
      child.send(order);
    });
  } finally {
    watched.stop();
  }
};
