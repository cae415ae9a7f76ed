/** Runs the plan, several stages at a time, within the cores it was given. */
import { keyOf } from "../code/index.ts";
import { removeTree } from "../files/index.ts";
import { codesOf, type Plan, type Task } from "../plan/index.ts";
import { prepare, type SharedCache } from "../remote/index.ts";
import { machineHere, type StageRecord, type Store } from "../store/index.ts";
import { withoutSecrets } from "../text/index.ts";
import { type RunOptions, runIn } from "./attempt.ts";
import type { Events } from "./events.ts";
import { StageError, toStageError } from "./failure.ts";
import { checkUnchanged, stampsOfInputs } from "./inputs.ts";
import { capacityOf, Pool } from "./resources.ts";

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

/** Between two checkpoints of a stage, unless it says otherwise. */
const CHECKPOINT_SECONDS = 60;

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
    const checkpoint = { folder: store.checkpoint(key), seconds: task.checkpoint ?? CHECKPOINT_SECONDS };
    if (plan.isForced(task)) removeTree(checkpoint.folder); // it is to start over
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
      checkpoint,
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
    removeTree(checkpoint.folder);
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
  /** Thrown by a listener of the events: nothing else awaits what told it. */
  private unheard?: Error;
  /** Called when a stage, or a question to the shared cache, ended. */
  private wake = (): void => {};

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
    if (this.unheard) return true;
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

  /** @returns the tasks that can start, none after an input broke */
  private ready(): Iterable<Task> {
    try {
      this.plan.update();
      return this.plan.queue.ready();
    } catch (error) {
      this.broken = error as Error;
      return [];
    }
  }

  /** Asks the shared cache, which takes no core. */
  private ask(task: Task, cache: SharedCache): void {
    const { plan, store, options, preparing, events } = this;
    const { key } = plan.states.get(task.id) as { key: string };
    plan.ask(task, key);
    const end = prepare(task, key, plan, store, options.root, cache)
      .then((record) => {
        plan.prepared!.add(key);
        if (!record) return;
        plan.found(task, record);
        events.tell({ kind: "fetched", task, from: cache.name });
      })
      .catch((error: Error) => this.fail(task, key, error))
      .catch((error: Error) => {
        this.unheard ??= error;
      })
      .finally(() => {
        plan.answered(task, key);
        preparing.delete(task);
        this.wake();
      });
    preparing.set(task, end);
  }

  private begin(task: Task): void {
    const { plan, store, options, running, pool, summary, events } = this;
    const { key, reason } = plan.start(task);
    events.tell({ kind: "started", task, reason });
    const end = runTask(task, key, plan, store, { ...options, ...pool.shareOf(task), reuse: true }, events)
      .then((record) => {
        plan.finish(task, record);
        summary.ran++;
        events.tell({ kind: "finished", task, record });
      })
      .catch((error: Error) => this.fail(task, key, error))
      .catch((error: Error) => {
        this.unheard ??= error;
      })
      .finally(() => {
        pool.give(task);
        running.delete(task);
        this.wake();
      });
    running.set(task, end);
  }

  /** Starts every task that can start now. @returns false where one lost an input meanwhile: others can start then */
  private startReady(): boolean {
    const { plan, pool, preparing } = this;
    const { remote } = this.options;
    const ready = this.ready();
    if (this.broken) return true;
    // A key may be asked for again before the answer to an older question of the same task.
    if (remote) for (const task of plan.toAsk()) if (!preparing.has(task)) this.ask(task, remote);
    const starting: Task[] = [];
    let whole = true;
    for (const task of ready)
      if (!plan.isPrepared(task)) continue;
      else if (pool.fits(task)) {
        whole = plan.hasInputs(task);
        if (!whole) break;
        pool.take(task);
        starting.push(task);
      } else if (pool.isFull) break;
    pool.shareOut(starting);
    for (const task of starting) this.begin(task);
    return whole;
  }

  async run(): Promise<Summary> {
    const { plan, summary, running, preparing } = this;
    for (;;) {
      // One promise a turn: a race of all that are pending would add to each of them at every turn.
      const ended = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      while (!this.stopped && !this.startReady());
      if (running.size + preparing.size === 0) break;
      await ended;
    }
    if (this.unheard) throw this.unheard;
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
export async function execute(
  plan: Plan,
  store: Store,
  options: RunOptions,
  events: Events,
): Promise<Summary> {
  try {
    return await new Execution(plan, store, options, events).run();
  } finally {
    await options.executor.close?.();
  }
}
