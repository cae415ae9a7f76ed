/** The processes of stages: each runs one instance, and a stage that allows it lets its process wait for the next one. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { stageEnvironment } from "../../code/index.ts";
import { after } from "../../text/index.ts";
import type { Job } from "../index.ts";
import { CERTIFICATES } from "./certificates.ts";
import type { Order, Report } from "./child.ts";

const CHILD = fileURLToPath(new URL("./child.cjs", import.meta.url));
const TRACE = fileURLToPath(new URL("./trace.cjs", import.meta.url));

/**
 * Keeps a stage that claims one core to it. V8 collects garbage on up to four threads more: of two trainings on two cores
 * these took a quarter of the processor's time, and the trainings took a quarter longer.
 */
const ONE_CORE = ["--single-threaded-gc"];

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

  constructor({ root, log, trace, gpus, cpus }: Job) {
    const { NODE_EXTRA_CA_CERTS: certificates, ...visible } = stageEnvironment(process.env);
    const output = openSync(log, "a");
    const flags = ["--max-old-space-size=16384", ...(cpus === 1 ? ONE_CORE : [])];
    this.child = spawn(process.execPath, [...flags, "--require", TRACE, CHILD], {
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

  /** Whether the runner goes on as long as this process is there. */
  holdRunner(holds: boolean): void {
    const { child } = this;
    if (holds) child.ref();
    else child.unref();
    if (holds) child.channel?.ref();
    else child.channel?.unref();
  }

  /** Ends it while it waits. */
  async end(): Promise<void> {
    this.holdRunner(true);
    this.send("end");
    const cancelKill = after(GRACE_MILLISECONDS, () => this.signal("SIGKILL"));
    await this.ended;
    cancelKill();
  }
}

/** A process that waits, what its next stage must have in common with its last, and what it holds meanwhile. */
interface Waiting {
  process: StageProcess;
  kind: string;
  megabytes: number;
}

/** The one that ran last is at the end. */
const waiting: Waiting[] = [];

/** Megabytes that all processes that wait may hold together. */
const MOST_MEGABYTES = totalmem() / 4e6;

const kindOf = ({ root, task }: Job): string => JSON.stringify([root, task.code?.bundle]);

/** A process that waits for a job of this kind; undefined where there is none. */
export function waitingFor(job: Job): StageProcess | undefined {
  const kind = kindOf(job);
  const index = job.reusable ? waiting.findLastIndex((one) => one.kind === kind && one.process.isOpen) : -1;
  if (index < 0) return undefined;
  const [{ process }] = waiting.splice(index, 1);
  process.holdRunner(true);
  return process;
}

/** A new process. One that claims memory or a GPU starts when none waits any more: nothing else counts what these hold. */
export async function newProcess(job: Job): Promise<StageProcess> {
  if (job.task.memory || job.task.gpu) await endWaiting();
  return new StageProcess(job);
}

/** Lets a process wait for another job of the kind. Those that have waited longest end where they become too many. */
export function keep(process: StageProcess, job: Job, megabytes: number): void {
  process.listener = undefined;
  process.holdRunner(false);
  waiting.push({ process, kind: kindOf(job), megabytes });
  const held = () => waiting.reduce((sum, one) => sum + one.megabytes, 0);
  while (waiting.length > availableParallelism() || held() > MOST_MEGABYTES)
    void waiting.shift()!.process.end();
}

/** Ends the processes that wait. */
export async function endWaiting(): Promise<void> {
  await Promise.all(waiting.splice(0).map(({ process }) => process.end()));
}
