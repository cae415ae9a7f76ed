/** Runs one task in a scratch folder. */
import { lstatSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { prepareStart } from "../code/index.ts";
import { removeTree } from "../files/index.ts";
import type { Plan, Task } from "../plan/index.ts";
import type { SharedCache } from "../remote/index.ts";
import type { CheckpointPlace, StageDefinition } from "../stage.ts";
import type { Store, StoredOutput } from "../store/index.ts";
import type { Events } from "./events.ts";
import type { Executor, Job, Outcome } from "./executor.ts";
import { StageError, toStageError } from "./failure.ts";
import { showInputs, upstreamOf } from "./inputs.ts";
import { type Capacity, coresOf } from "./resources.ts";
import { beyondDeclared, changedMeanwhile, projectFiles } from "./undeclared.ts";

export interface RunOptions {
  root: string;
  /** Cores that all running stages together may claim. */
  jobs: number;
  keepGoing: boolean;
  executor: Executor;
  /** Whether a stage fails that reads or writes what it does not declare; else it warns. */
  strict?: boolean;
  /** The shared cache to ask before a stage runs, and to tell of what it made. */
  remote?: SharedCache;
  signal: AbortSignal;
  /** Memory and GPUs that all running stages together may claim; of this machine, unless given. */
  capacity?: Capacity;
  /** The folder that stages search for a download first; absolute. */
  mirror?: string;
  /** Cores and GPUs of the stage that runs. */
  cores?: number;
  gpus?: string[];
  /** Whether the process of a stage may go on to another instance, where the stage allows it. */
  reuse?: boolean;
}

/**
 * Whether a task may share its process: not one that runs alone, so that its seconds can be compared with those of others,
 * and not one with a GPU, whose memory would stay taken.
 */
const isReusable = ({ code, cpus, gpu }: Task): boolean =>
  (code?.definition as StageDefinition | undefined)?.reusable === true && cpus !== "all" && !gpu;

/** The outputs that a task takes from others. */
const outputsRead = (task: Task, plan: Plan): StoredOutput[] =>
  Object.values(task.inputs)
    .flat()
    .flatMap((reference) => {
      const state = "id" in reference ? plan.states.get(reference.id) : undefined;
      return (state?.kind === "hit" || state?.kind === "done") && "output" in reference
        ? [state.record.outputs[reference.output]]
        : [];
    });

const starts = new WeakMap<Plan, Promise<Map<string, string>>>();

/** The forms of the plan's bundles that start fast: made once, when its first task runs. */
function startOf(plan: Plan, root: string): Promise<Map<string, string>> {
  const codes = plan.tasks.flatMap(({ code, parts }) => [
    ...(code ? [code] : []),
    ...Object.values(parts).map((part) => part.code),
  ]);
  const start = starts.get(plan) ?? prepareStart(root, codes);
  starts.set(plan, start);
  return start;
}

/** @throws StageError when an output is missing, or a file where a folder is declared */
function checkOutputs(task: Task, outputs: Record<string, string>): void {
  for (const [name, { path }] of Object.entries(task.outputs)) {
    const made = resolve(outputs[name]);
    if (!lstatSync(made, { throwIfNoEntry: false }))
      throw new StageError(`ended well but did not write its output "${name}" (${path}).`);
    if (path.endsWith("/") && statSync(made, { throwIfNoEntry: false })?.isFile())
      throw new StageError(
        `made a file of its output "${name}" (${path}), which is declared as a folder.`,
        "user",
      );
  }
}

/**
 * Runs a task in a scratch folder, as often as it may be tried.
 * @param log the file its output goes to
 * @param checkpoint from which it goes on, if an earlier try left one; absent: it starts over
 * @returns the path of each of its outputs, the facts of the run, and what it read or wrote beyond what it declares
 * @throws StageError
 */
export async function runIn(
  scratch: string,
  log: string,
  task: Task,
  plan: Plan,
  store: Store,
  options: RunOptions,
  events: Events,
  checkpoint?: CheckpointPlace,
): Promise<{ outputs: Record<string, string>; outcome: Outcome; beyond: string }> {
  const written = store.watch(outputsRead(task, plan));
  const inputs = await showInputs(task, plan, store, options.root, scratch);
  const outputs: Record<string, string> = {};
  mkdirSync(dirname(log), { recursive: true });
  rmSync(log, { force: true });
  const job: Job = {
    task,
    start: await startOf(plan, options.root),
    root: options.root,
    inputs,
    outputs,
    upstream: upstreamOf(task, plan),
    cpus: options.cores ?? coresOf(task, options.jobs),
    downloads: { kept: store.downloads, mirror: options.mirror },
    checkpoint,
    gpus: options.gpus ?? [],
    log,
    trace: join(scratch, "trace"),
    reusable: options.reuse === true && isReusable(task),
    signal: options.signal,
    onProgress: (done, total, unit, megabytes) =>
      events.tell({ kind: "progress", task, done, total, unit, megabytes }),
    onWarn: (line) => events.warn(line, task),
  };
  // Of a command nothing can be traced: what can be seen is what it leaves in the project.
  const before = task.run === undefined ? undefined : projectFiles(options.root, store.folder);
  const run = async () => {
    removeTree(join(scratch, "out"));
    for (const [name, { path }] of Object.entries(task.outputs)) {
      outputs[name] = join(scratch, "out", path);
      mkdirSync(path.endsWith("/") ? outputs[name] : dirname(outputs[name]), { recursive: true });
    }
    return options.executor(job);
  };
  let outcome: Outcome | undefined;
  for (let attempt = 0; !outcome; attempt++)
    try {
      outcome = await run();
    } catch (error) {
      const fault = toStageError(error);
      if (fault.failure.kind === "user" || attempt >= task.retries || options.signal.aborted) throw fault;
      events.warn(`${fault.message} Tried again (${attempt + 1} of ${task.retries}).`, task);
    }
  const fault = written();
  if (fault)
    throw new StageError(
      `an input changed while it ran: ${fault}. A process that an earlier stage started may write to it still: end that one and run again.`,
      "user",
    );
  checkOutputs(task, outputs);
  const after = before && projectFiles(options.root, store.folder);
  const beyond = after
    ? changedMeanwhile(before, after)
    : beyondDeclared(task, job.trace, {
        root: options.root,
        cache: store.folder,
        downloads: job.downloads,
        scratch,
        log,
        checkpoint: checkpoint?.folder,
      });
  if (beyond && options.strict) throw new StageError(beyond, "user");
  if (beyond) job.onWarn(beyond);
  return { outputs, outcome, beyond };
}
