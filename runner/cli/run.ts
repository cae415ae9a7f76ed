/** The command `run`: runs the stages that changed, and those that depend on them. */
import { availableParallelism } from "node:os";
import { resolve as absolute } from "node:path";
import { revisionOf } from "../git/index.ts";
import { publish, refuseObstacles } from "../publish/index.ts";
import type { SharedCache } from "../remote/index.ts";
import type { Listener, Summary } from "../run/index.ts";
import { UserError } from "../stage.ts";
import type { Store } from "../store/index.ts";
import { settingText } from "../study/index.ts";
import { colors, diskFault, unbreakable } from "../text/index.ts";
import type { Counts } from "./display.ts";
import { JsonLines } from "./json-lines.ts";
import type { Options } from "./options.ts";
import { pushLine, remoteOf, restorePublished } from "./remote.ts";
import { prepare, type Session } from "./session.ts";
import { countsOf, type Ending, endLine, headlinesOf, pagesOf } from "./summary.ts";

/** Milliseconds within which two signals count as one press of Ctrl-C. */
const TWICE_MILLISECONDS = 500;

const toPrograms = new JsonLines((line) => process.stdout.write(line));

/** Where the events of a run go, by the options. */
async function openDisplay(
  options: Options,
  { plan, store, tasks }: Session,
  settled: () => number,
): Promise<Listener & { close(): void }> {
  if (options.jsonLines) return unbreakable(toPrograms, warn);
  const { Display, Quiet } = await import("./display.ts");
  const counts: Counts = { settled, total: tasks.length };
  // The jobs of a cluster wait for its queue, for a time that no record has.
  if (process.stdout.isTTY && !options.quiet && options.executor === "local") {
    const { TimeLeft } = await import("./time-left.ts");
    counts.left = new TimeLeft(plan, store, options.jobs ?? availableParallelism());
  }
  return unbreakable(
    new (options.quiet ? Quiet : Display)(process.stdout, options.debug === true, counts),
    warn,
  );
}

interface Run {
  code: number;
  /** Whether a stage was missing, so that the end of the run was printed. */
  started: boolean;
  ending: Ending;
}

const warn = (message: string) => console.error(colors.yellow(`! ${message}`));

/** Keeps `gc` away until this process ends, and removes the temporary files of killed runs. */
async function enter(store: Store): Promise<void> {
  const leave = await store.enter((owner) => warn(`waits: ${owner} is collecting garbage.`));
  process.once("exit", () => {
    try {
      leave();
    } catch (error) {
      // The lock now has a dead owner, so it blocks no one; but the disk may be failing.
      console.error(diskFault(error as NodeJS.ErrnoException));
      process.exitCode ||= 1;
    }
  });
  store.sweep();
}

/** Stores the keys of this run, for the next run and for `gc`. */
function remember({ plan, store, study, tasks }: Session, options: Options): void {
  const known = Object.fromEntries(
    [...plan.states].flatMap(([id, state]) =>
      state.kind === "hit" || state.kind === "done" ? [[id, state.key]] : [],
    ),
  );
  store.keepLatest(study.profile, known);
  store.keepRun(study.profile, known, !options.only.length && Object.keys(known).length === tasks.length);
  store.save();
}

/** Ends the running stages on Ctrl-C; on a second one, the process. */
function cancelOnSignals(cancelled: AbortController, say: (line: string) => void): void {
  let pressed: number | undefined;
  const cancel = () => {
    const now = performance.now();
    if (pressed === undefined) {
      pressed = now;
      say("cancelled: ending the running stages. Press Ctrl-C again to end them at once.");
      cancelled.abort();
      // npm passes on the Ctrl-C that the terminal has already sent: two at once are one.
    } else if (now - pressed > TWICE_MILLISECONDS) process.exit(130);
  };
  process.on("SIGINT", cancel).on("SIGTERM", cancel);
}

/** The executor of the missing stages: jobs of a cluster, or processes of this machine. */
async function executionOf(
  { plan, store, tasks, root, study, events }: Session,
  options: Options,
  remote: SharedCache | undefined,
  signal: AbortSignal,
): Promise<() => Promise<Summary>> {
  const { keepGoing = false, detach = false, strict = false } = options;
  const mirror = options.mirror === undefined ? undefined : absolute(options.mirror);
  if (options.executor === "slurm") {
    const { runOnSlurm } = await import("../run/slurm/index.ts");
    const { profile, slurm: settings } = study;
    const how = { root, profile, cores: options.jobs, keepGoing, detach, mirror, settings, signal };
    return () => runOnSlurm(plan, store, how, events);
  }
  const { capacityOf, checkClaims, execute } = await import("../run/index.ts");
  const { local } = await import("../run/local/index.ts");
  const capacity = capacityOf({ ...options, jobs: options.jobs ?? availableParallelism() });
  checkClaims(
    tasks.filter(({ id }) => plan.states.get(id)!.kind !== "hit"),
    capacity,
  );
  const how = {
    root,
    jobs: capacity.cpus,
    capacity,
    keepGoing,
    executor: local,
    strict,
    mirror,
    remote,
    signal,
  };
  return () => execute(plan, store, how, events);
}

/** Runs the missing stages, and prints the end of the run. */
export async function runStages(session: Session, options: Options): Promise<Run> {
  const { plan, store, tasks, root, study, events } = session;
  const { profile } = study;
  const began = performance.now();
  const cancelled = new AbortController();
  const stopWarnings = events.listen({ warned: ({ message }) => warn(message) });
  await enter(store);
  const remote = await remoteOf(session, options, cancelled.signal);
  plan.advance();
  await restorePublished(session, remote);
  const ran = new Set<string>();
  const fetched = new Set<string>();
  events.listen({
    finished: ({ task }) => ran.add(task.id),
    fetched: ({ task }) => fetched.add(task.id),
  });
  const endingOf = (summary: Summary): Ending => {
    const counts = countsOf(plan, ran, fetched);
    return {
      ...summary,
      profile,
      stages: tasks.length,
      ran: counts.ran,
      hits: counts.hits,
      fetched: remote && counts.fetched ? { count: counts.fetched, from: remote.name } : undefined,
      seconds: Math.round(performance.now() - began) / 1000,
    };
  };
  const settled = () => plan.queue.settled;
  if (plan.advance().length === 0) {
    remember(session, options);
    await remote?.settle();
    const ending = endingOf({ ran: 0, failed: 0, skipped: 0, cancelled: false, user: false });
    return { code: 0, started: false, ending };
  }
  plan.run = { profile, settings: options.set.map(settingText), revision: revisionOf(root) };
  const display = await openDisplay(options, session, settled);
  stopWarnings();
  events.listen(display);
  const go = await executionOf(session, options, remote, cancelled.signal);
  cancelOnSignals(cancelled, (line) => events.warn(line));
  events.tell({ kind: "begun", profile, stages: tasks.length, hits: settled() });
  let summary: Summary;
  try {
    summary = await go();
    // Results that came from a shared cache meanwhile may lack their files too.
    while (remote && !summary.cancelled && !summary.failed && (await restorePublished(session, remote)))
      summary = await go();
    await remote?.settle();
  } finally {
    display.close();
  }
  try {
    remember(session, options);
  } catch (error) {
    if (!summary.failed) throw error; // else the same disk error has been printed
  }
  const ending = endingOf(summary);
  const code = summary.cancelled ? 130 : summary.failed ? (summary.user ? 2 : 1) : 0;
  if (!options.jsonLines) {
    const { duration } = await import("../text/index.ts");
    const pushed = remote && !options.quiet ? pushLine(remote) : "";
    if (pushed) console.log(pushed);
    console[summary.failed && !summary.cancelled ? "error" : "log"](endLine(ending, duration));
  }
  return { code, started: true, ending };
}

export async function runCommand(options: Options): Promise<number> {
  if (options.detach && options.executor !== "slurm")
    throw new UserError("--detach needs --executor slurm: stages on this machine end with the run.");
  const session = await prepare(options);
  refuseObstacles(session.tasks, session.store, session.root);
  const { code, started, ending } = await runStages(session, options);
  const incomplete = Boolean(ending.left) && !ending.failed; // published by the run that follows the jobs
  if (incomplete && !options.jsonLines) return code;
  const { plan, store, root } = session;
  const published = incomplete ? [] : publish(plan, store, root);
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
