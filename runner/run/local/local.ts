/** Runs a stage, or a shell stage's command, in a child process with its own process group and log. */
import { filledEnvironment } from "../../code/index.ts";
import { fillCommand } from "../../study/index.ts";
import { after } from "../../text/index.ts";
import { type Executor, type Job, type Outcome, StageError, stageErrorOf } from "../index.ts";
import type { Order, Report } from "./child.ts";
import {
  endWaiting,
  GRACE_MILLISECONDS,
  keep,
  newProcess,
  type StageProcess,
  waitingFor,
} from "./process.ts";

function command(job: Job, run: string): string {
  const paths = Object.fromEntries(
    Object.entries(job.inputs).map(([name, files]) => [name, files.map(({ path }) => path)]),
  );
  return fillCommand(run, { in: paths, out: job.outputs, with: job.task.params }, (expression) => {
    throw new Error(`run: nothing is called \${${expression}}.`);
  });
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
    trace: job.trace,
    reusable: job.reusable,
  };
}

/**
 * Ends the process group at the stage's timeout and when the run is cancelled: SIGTERM first, SIGKILL after a grace.
 * @returns why the group was ended, if it was; and a function that stops watching
 */
function watch(process: StageProcess, { task: { timeout }, signal }: Job) {
  let reason: StageError | undefined;
  let cancelKill: (() => void) | undefined;
  const end = (why: StageError) => {
    reason ??= why;
    process.signal("SIGTERM");
    cancelKill ??= after(GRACE_MILLISECONDS, () => process.signal("SIGKILL"));
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

/**
 * Has a process run a job.
 * @param waited whether it ran another one before, and so may be gone
 * @returns undefined where it is gone
 * @throws StageError
 */
async function runOn(
  own: StageProcess,
  job: Job,
  order: Order,
  waited: boolean,
): Promise<Outcome | undefined> {
  const watched = watch(own, job);
  try {
    return await new Promise<Outcome | undefined>((resolve, reject) => {
      const conclude = (outcome: () => Outcome | undefined) => {
        try {
          const reason = watched.reason();
          if (reason) throw reason;
          resolve(outcome());
        } catch (error) {
          reject(error);
        }
      };
      let begun = !waited;
      let last: Report | undefined;
      own.listener = {
        report(report) {
          begun = true;
          if (report.kind === "progress")
            job.onProgress(report.done, report.total, report.unit, report.megabytes);
          else if (report.kind === "warn") job.onWarn(report.line);
          else last = report;
          if (report.kind !== "done" || !report.waits || watched.reason()) return;
          keep(own, job, report.megabytes);
          conclude(() => outcomeOf(report, 0, null));
        },
        error: (error) => reject(new StageError(`could not be started: ${error.message}`)),
        close: (code, signal) => conclude(() => (begun ? outcomeOf(last, code, signal) : undefined)),
      };
      own.send(order);
    });
  } finally {
    watched.stop();
  }
}

const run = async (job: Job): Promise<Outcome> => {
  const order = orderOf(job, filledEnvironment(job.task.env ?? {}, process.env));
  const waiting = waitingFor(job);
  const outcome = waiting && (await runOn(waiting, job, order, true));
  return outcome ?? (await runOn(await newProcess(job), job, order, false))!;
};

/** The executor of this machine. */
export const local: Executor = Object.assign(run, { close: endWaiting });
