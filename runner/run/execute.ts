/** Runs the plan, several stages at a time, within the cores it was given. */
import { lstatSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { keyOf, prepareStart } from "../code/index.ts";
import { removeTree } from "../files/index.ts";
import { codesOf, type Plan, type Task } from "../plan/index.ts";
import { prepare, type SharedCache } from "../remote/index.ts";
import { machineHere, type StageRecord, type Store, type StoredOutput } from "../store/index.ts";
import { withoutSecrets } from "../text/index.ts";
import type { Events } from "./events.ts";
import type { Executor, Job, Outcome } from "./executor.ts";
import { StageError, toStageError } from "./failure.ts";
import { checkUnchanged, showInputs, stampsOfInputs, upstreamOf } from "./inputs.ts";
import { type Capacity, capacityOf, coresOf, Pool } from "./resources.ts";
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
  /** GPUs of the stage that runs. */
  gpus?: string[];
}

export interface Summary {
  ran: number;
  failed: number;
  skipped: number;
  cancelled: boolean;
  /** Whether some failure was a user's fault. */
  user: boolean;
  /** Jobs on other machines that go on without this process. */
  left?: number;
}

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

/**
 * Runs a task in a scratch folder, as often as it may be tried.
 * @param log the file its output goes to
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
    cpus: coresOf(task, options.jobs),
    downloads: { kept: store.downloads, mirror: options.mirror },
    gpus: options.gpus ?? [],
    log,
    trace: join(scratch, "trace"),
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
  const after = before && projectFiles(options.root, store.folder);
  const beyond = after
    ? changedMeanwhile(before, after)
    : beyondDeclared(task, job.trace, {
        root: options.root,
        cache: store.folder,
        downloads: job.downloads,
        scratch,
        log,
      });
  if (beyond && options.strict) throw new StageError(beyond, "user");
  if (beyond) job.onWarn(beyond);
  return { outputs, outcome, beyond };
}

/** Runs one task to its record. */
async function runTask(
  task: Task,
  key: string,
  plan: Plan,
  store: Store,
  options: RunOptions,
  events: Events,
): Promise<StageRecord> {
  const release = await store.lock(
    key,
    (owner) => events.warn(`waits: ${owner} is making the same result.`, task),
    options.signal,
  );
  let scratch: string | undefined;
  try {
    const other = plan.isForced(task) ? undefined : plan.known(task, key);
    const whole = other && Object.values(other.outputs).every((output) => store.faultOf(output) === "");
    if (whole) return other; // made by another run while this one waited
    scratch = store.scratch(key);
    const before = stampsOfInputs(task, options.root);
    const ingredients = plan.ingredients(task);
    if (!ingredients || keyOf(ingredients) !== key)
      throw new StageError("its input changed before it began. Run again.", "user");
    const began = performance.now();
    const { outputs, outcome, beyond } = await runIn(
      scratch,
      store.logPath(key),
      task,
      plan,
      store,
      options,
      events,
    );
    checkUnchanged(task, options.root, before);
    await store.hashOutputs(Object.values(outputs));
    const record: StageRecord = {
      key,
      id: task.id,
      stage: task.stage,
      ...ingredients,
      packages: task.code?.packages ?? [],
      from: plan.origins(task),
      run: withoutSecrets(plan.run),
      outputs: Object.fromEntries(
        Object.entries(task.outputs).map(([name, { measured }]) => [
          name,
          store.keepOutput(outputs[name], measured),
        ]),
      ),
      notes: { ...outcome.notes, ...(beyond ? { undeclared: beyond } : {}) },
      machine: machineHere(),
      ended: new Date().toISOString(),
      seconds: Math.round(performance.now() - began) / 1000,
      peakMegabytes: outcome.peakMegabytes,
    };
    for (const [hash, facts] of codesOf(task)) store.keepCode(hash, facts);
    store.keepRecord(record);
    options.remote?.push(record);
    return record;
  } finally {
    try {
      if (scratch) removeTree(scratch);
    } finally {
      release();
    }
  }
}

/** One run of a plan: what runs, what a shared cache is asked for, and how it went. */
class Execution {
  readonly summary: Summary = { ran: 0, failed: 0, skipped: 0, cancelled: false, user: false };
  private readonly running = new Map<Task, Promise<void>>();
  private readonly preparing = new Map<Task, Promise<void>>();
  private readonly pool: Pool;
  private readonly plan: Plan;
  private readonly store: Store;
  private readonly options: RunOptions;
  private readonly events: Events;
  /** An input that can no longer be read: running stages may end, none starts. */
  private broken?: Error;

  constructor(plan: Plan, store: Store, options: RunOptions, events: Events) {
    this.plan = plan;
    this.store = store;
    this.options = options;
    this.events = events;
    this.pool = new Pool(options.capacity ?? capacityOf({ jobs: options.jobs }));
    if (options.remote) plan.prepared ??= new Set();
  }

  private get stopped(): boolean {
    const { signal, keepGoing } = this.options;
    return this.broken !== undefined || signal.aborted || (this.summary.failed > 0 && !keepGoing);
  }

  private fail(task: Task, key: string, error: Error): void {
    const { plan, store, options, summary, events } = this;
    const fault = toStageError(error);
    plan.fail(task, fault.message);
    if (options.signal.aborted) return;
    summary.failed++;
    summary.user ||= fault.failure.kind === "user";
    events.tell({ kind: "failed", task, error: fault, log: store.logPath(key) });
  }

  private ready(): Task[] {
    try {
      return this.plan.advance();
    } catch (error) {
      this.broken = error as Error;
      return [];
    }
  }

  /** Asks the shared cache, which takes no core. */
  private ask(task: Task, cache: SharedCache): void {
    const { plan, store, options, preparing, events } = this;
    const { key } = plan.states.get(task.id) as { key: string };
    const end = prepare(task, key, plan, store, options.root, cache)
      .then((record) => {
        plan.prepared!.add(key);
        if (!record) return;
        plan.found(task, record);
        events.tell({ kind: "fetched", task, from: cache.name });
      })
      .catch((error: Error) => this.fail(task, key, error))
      .finally(() => preparing.delete(task));
    preparing.set(task, end);
  }

  private begin(task: Task): void {
    const { plan, store, options, running, pool, summary, events } = this;
    const { key, reason } = plan.start(task);
    const gpus = pool.take(task);
    events.tell({ kind: "started", task, reason });
    const end = runTask(task, key, plan, store, { ...options, gpus }, events)
      .then((record) => {
        plan.finish(task, record);
        summary.ran++;
        events.tell({ kind: "finished", task, record });
      })
      .catch((error: Error) => this.fail(task, key, error))
      .finally(() => {
        pool.give(task);
        running.delete(task);
      });
    running.set(task, end);
  }

  /** Starts every task that can start now. @returns false where one lost an input meanwhile: others can start then */
  private startReady(): boolean {
    const { plan, pool, preparing } = this;
    for (const task of this.ready())
      if (!plan.isPrepared(task)) {
        if (!preparing.has(task)) this.ask(task, this.options.remote!);
      } else if (pool.fits(task)) {
        if (!plan.hasInputs(task)) return false;
        this.begin(task);
      }
    return true;
  }

  async run(): Promise<Summary> {
    const { plan, summary, running, preparing } = this;
    for (;;) {
      while (!this.stopped && !this.startReady());
      if (running.size + preparing.size === 0) break;
      await Promise.race([...running.values(), ...preparing.values()]);
    }
    this.ready();
    const { aborted } = this.options.signal;
    if (this.broken && !aborted && !summary.failed) throw this.broken;
    for (const { kind } of plan.states.values())
      if (kind === "skipped" || kind === "waits" || kind === "miss") summary.skipped++;
    summary.cancelled = aborted;
    return summary;
  }
}

/** Runs every task of the plan that is not known. Never throws for the failure of a stage: see the summary. */
export const execute = (plan: Plan, store: Store, options: RunOptions, events: Events): Promise<Summary> =>
  new Execution(plan, store, options, events).run();
