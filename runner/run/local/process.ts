/** The processes of stages: each runs one instance, and a stage that allows it lets its process wait for the next one. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { stageEnvironment } from "../../code/index.ts";
import { after } from "../../text/index.ts";
import type { Job } from "../index.ts";
import { CERTIFICATES } from "./certificates.ts";
import type { Order, Report } from "./child.ts";

const CHILD = fileURLToPath(new URL("./child.cjs", import.meta.url));
const TRACE = fileURLToPath(new URL("./trace.cjs", import.meta.url));

/** How long a process may take to end by itself before it is killed. */
export const GRACE_MILLISECONDS = 3000;

/** The events of a process, for the stage that it runs. */
interface Listener {
  report(report: Report): void;
  /** The process could not be started. */
  error(error: Error): void;
  /** It has ended, and all that it said was heard. */
  close(code: number | null, signal: NodeJS.Signals | null): void;
}

/** A process that runs the orders it is sent, one at a time. */
export class StageProcess {
  /** Of the stage that runs; undefined between two. */
  listener?: Listener;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;

  constructor({ root, log, trace, gpus }: Job) {
    const { NODE_EXTRA_CA_CERTS: certificates, ...visible } = stageEnvironment(process.env);
    const output = openSync(log, "a");
    this.child = spawn(process.execPath, ["--max-old-space-size=16384", "--require", TRACE, CHILD], {
      cwd: root,
      env: {
        ...visible,
        ...(certificates ? { [CERTIFICATES]: certificates } : {}),
        DEEPHASH_TRACE: trace,
        ...(gpus.length ? { CUDA_VISIBLE_DEVICES: gpus.join(",") } : {}),
      },
      stdio: ["ignore", output, output, "ipc"],
      detached: true, // a group of its own: Ctrl-C reaches the runner alone, which ends the group in order
      serialization: "advanced",
    });
    closeSync(output);
    this.child.on("message", (report) => this.listener?.report(report as Report));
    this.child.on("exit", () => this.signal("SIGKILL")); // the processes that the stage started and did not end
    this.ended = new Promise((ended) => {
      this.child.on("error", (error) => {
        this.listener?.error(error);
        ended();
      });
      // "exit" may come before the last report, "close" comes after it.
      this.child.on("close", (code, signal) => {
        this.listener?.close(code, signal);
        ended();
      });
    });
  }

  get isOpen(): boolean {
    return this.child.connected;
  }

  send(order: Order | "end"): void {
    this.child.send(order, () => {}); // where it has ended, "close" says so
  }

  /** Signals the whole process group; it may be gone already. */
  signal(signal: NodeJS.Signals): void {
    try {
      if (this.child.pid) process.kill(-this.child.pid, signal);
    } catch {}
  }

  /** Ends it while it waits. */
  async end(): Promise<void> {
    this.send("end");
    const cancelKill = after(GRACE_MILLISECONDS, () => this.signal("SIGKILL"));
    await this.ended;
    cancelKill();
  }
}

/** Processes that wait, the one that ran last at the end, and what their next stage must have in common with their last. */
const waiting: { process: StageProcess; kind: string }[] = [];

const kindOf = ({ root, task, gpus }: Job): string => JSON.stringify([root, task.code?.bundle, gpus]);

/** The process for a job: one that waits, or a new one. */
export function processFor(job: Job): StageProcess {
  const kind = kindOf(job);
  const index = job.reusable ? waiting.findLastIndex((one) => one.kind === kind && one.process.isOpen) : -1;
  return index < 0 ? new StageProcess(job) : waiting.splice(index, 1)[0].process;
}

/** Lets a process wait for another job of the kind; the one that has waited longest ends where they become many. */
export function keep(process: StageProcess, job: Job): void {
  process.listener = undefined;
  waiting.push({ process, kind: kindOf(job) });
  if (waiting.length > availableParallelism()) void waiting.shift()!.process.end();
}

/** Ends the processes that wait. */
export async function endWaiting(): Promise<void> {
  await Promise.all(waiting.splice(0).map(({ process }) => process.end()));
}
