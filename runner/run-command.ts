/** The command run: whatever changed, and what follows from it. */
import { availableParallelism } from "node:os";
import { resolve as absolute } from "node:path";
import { colors } from "./colors.ts";
import { type Ending, endLine, headlinesOf, pagesOf } from "./ending.ts";
import type { SlurmEvents } from "./executors/slurm.ts";
import { settingText } from "./expand.ts";
import { revisionOf } from "./git.ts";
import { JsonLines } from "./json-lines.ts";
import type { Options } from "./options.ts";
import { counted } from "./quantities.ts";
import type { SharedCache } from "./remote.ts";
import { prepare, type Session } from "./session.ts";
import { UserError } from "./stage.ts";

/** Two signals that come closer than this are one press of Ctrl-C. */
const TWICE_MILLISECONDS = 500;

const toPrograms = new JsonLines((line) => process.stdout.write(line));

/** Where the events of a run go, as the options have it. */
async function openDisplay(options: Options, count: () => string): Promise<SlurmEvents & { close(): void }> {
  if (options.jsonLines) return toPrograms;
  const { Display, Quiet } = await import("./display.ts");
  return new (options.quiet ? Quiet : Display)(process.stdout, options.debug === true, count);
}

interface Run {
  code: number;
  /** Ids of the instances that ran. */
  ran: Set<string>;
  /** Whether there was anything to do, and the end was said. */
  started: boolean;
  ending: Ending;
}

/** Runs the study, and says how that went. */
export async function runStages(session: Session, options: Options): Promise<Run> {
  const { plan, store, tasks, root, study } = session;
  const { missingForPublish } = await import("./publish.ts");
  const began = performance.now();
  const warn = (message: string) => console.error(colors.yellow(`! ${message}`));
  plan.onFault = warn;
  const leave = await store.enter((owner) => warn(`waits: ${owner} is collecting garbage.`));
  process.once("exit", () => {
    try {
      leave();
    } catch {} // a lock that could not be removed has a dead owner from now on
  });
  store.sweep();
  const cancelled = new AbortController();
  let remote: SharedCache | undefined;
  if (options.remote || options.remotePush) {
    if (options.executor === "slurm")
      throw new UserError(
        "--remote: jobs of a cluster share one store and ask no shared cache. Push what they made with npm run pipeline -- push.",
      );
    plan.prepared = new Set();
    if (plan.advance().length || missingForPublish(plan, store, root).length) {
      const { openRemote } = await import("./remote.ts");
      remote = await openRemote(options, root, store, (line) => plan.onFault(line), cancelled.signal);
    }
  }
  plan.advance();
  /** Has what published stages made in the store again. @returns whether some must run for it */
  const restorePublished = async () => {
    let redone = false;
    for (const { id, fault, record, outputs } of missingForPublish(plan, store, root)) {
      if (await remote?.bring(outputs, store.isPromise(record.key))) store.redeem(record);
      else {
        plan.redo(id, fault);
        redone = true;
      }
    }
    return redone;
  };
  await restorePublished();
  const ready = plan.advance();
  const keys = () =>
    Object.fromEntries(
      [...plan.states].flatMap(([id, state]) =>
        state.kind === "hit" || state.kind === "done" ? [[id, state.key]] : [],
      ),
    );
  /** What the next run and `gc` will want to know of this one. */
  const remember = () => {
    const known = keys();
    store.keepLatest(study.profile, known);
    store.keepRun(study.profile, known, !options.only.length && Object.keys(known).length === tasks.length);
    store.save();
  };
  const ran = new Set<string>();
  const settled = () =>
    [...plan.states.values()].filter(({ kind }) => kind === "hit" || kind === "done").length;
  const ended = (
    summary: Omit<Ending, "profile" | "stages" | "hits" | "seconds" | "fetched">,
    cache?: SharedCache,
  ): Ending => ({
    ...summary,
    profile: study.profile,
    stages: tasks.length,
    hits: settled() - summary.ran - (cache?.count.fetched ?? 0),
    fetched: cache?.count.fetched ? { count: cache.count.fetched, from: cache.name } : undefined,
    seconds: Math.round(performance.now() - began) / 1000,
  });
  if (ready.length === 0) {
    remember();
    await remote?.settle();
    const ending = ended({ ran: 0, failed: 0, skipped: 0, cancelled: false });
    return { code: 0, ran, started: false, ending };
  }
  const [{ execute }, { duration }, { local }] = await Promise.all([
    import("./execute.ts"),
    import("./display.ts"),
    import("./executors/local.ts"),
  ]);
  const { capacityOf, checkClaims } = await import("./resources.ts");
  const capacity = capacityOf({ ...options, jobs: options.jobs ?? availableParallelism() });
  if (options.executor !== "slurm")
    checkClaims(
      tasks.filter(({ id }) => plan.states.get(id)!.kind !== "hit"),
      capacity,
    );
  if (options.mirror) process.env.DEEPHASH_MIRROR = absolute(options.mirror);
  process.env.DEEPHASH_CACHE = store.folder; // downloads wait there to be resumed
  let pressed: number | undefined;
  const cancel = () => {
    const now = performance.now();
    if (pressed === undefined) {
      pressed = now;
      display.warned(undefined, "cancelled: the running stages are ended. Ctrl-C again ends them at once.");
      cancelled.abort();
      // npm passes on the Ctrl-C that the terminal has sent already: two at once are one.
    } else if (now - pressed > TWICE_MILLISECONDS) process.exit(130);
  };
  process.on("SIGINT", cancel).on("SIGTERM", cancel);
  plan.run = { profile: study.profile, settings: options.set.map(settingText), revision: revisionOf(root) };
  if (options.jsonLines)
    toPrograms.tell("begun", { profile: study.profile, stages: tasks.length, hits: settled() });
  else if (!options.quiet)
    console.log(`Profile ${study.profile}: ${settled()} of ${tasks.length} stages are up to date.`);
  const display = await openDisplay(options, () => `[${settled()}/${tasks.length}]`);
  const finished = display.finished.bind(display);
  display.finished = (task, record) => {
    ran.add(task.id);
    finished(task, record);
  };
  const { keepGoing = false, detach = false, strict = false } = options;
  const { signal } = cancelled;
  const slurm = options.executor === "slurm" ? (await import("./executors/slurm.ts")).runOnSlurm : undefined;
  const go = () =>
    slurm
      ? slurm(
          plan,
          store,
          {
            root,
            profile: study.profile,
            cores: options.jobs,
            keepGoing,
            detach,
            settings: study.slurm,
            signal,
          },
          display,
        )
      : execute(
          plan,
          store,
          {
            root,
            jobs: capacity.cpus,
            capacity,
            keepGoing,
            executor: local,
            strict,
            remote,
            signal,
          },
          display,
        );
  let summary = await go();
  // What became known from a shared cache on the way may lack its files too.
  while (remote && !summary.cancelled && !summary.failed && (await restorePublished())) {
    const { ran } = summary;
    summary = await go();
    summary.ran += ran;
  }
  await remote?.settle();
  display.close();
  try {
    remember();
  } catch (error) {
    if (!summary.failed) throw error; // else the same fault of the disk has been said
  }
  if ((remote?.count.pushed || remote?.count.notPushed) && !options.quiet && !options.jsonLines)
    console.log(
      `Pushed ${counted(remote.count.pushed, "result")} to ${remote.name}${remote.count.notPushed ? `; ${remote.count.notPushed} did not get through, npm run pipeline -- push tries again` : ""}.`,
    );
  const ending = ended(summary, remote);
  const code = summary.cancelled ? 130 : summary.failed ? (summary.user ? 2 : 1) : 0;
  if (!options.jsonLines)
    console[summary.failed && !summary.cancelled ? "error" : "log"](endLine(ending, duration));
  return { code, ran, started: true, ending };
}

export async function runCommand(options: Options): Promise<number> {
  if (options.detach && options.executor !== "slurm")
    throw new UserError("--detach: goes with --executor slurm; here the stages end with the run.");
  const session = await prepare(options);
  const { code, ran, started, ending } = await runStages(session, options);
  const incomplete = Boolean(ending.left) && !ending.failed; // to be published when it has come
  if (incomplete && !options.jsonLines) return code;
  const { publish } = await import("./publish.ts");
  const { plan, store, root } = session;
  const published = incomplete ? [] : publish(plan, store, root, ran);
  const pages = pagesOf(plan, root);
  const headlines = headlinesOf(plan);
  if (options.jsonLines) {
    toPrograms.tell("summary", { ...ending, code, published, pages, headlines });
    return code;
  }
  const nothing = !started && published.length === 0;
  if (nothing) console.log(endLine(ending, String));
  if (options.quiet) return code;
  for (const folder of published) console.log(`Published to ${folder}/.`);
  if (!nothing) for (const { text } of headlines) console.log(text);
  for (const page of pages) console.log(`Look at ${page}.`);
  return code;
}
