/** The commands. */
import { availableParallelism } from "node:os";
import { resolve as absolute, isAbsolute, join } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parse } from "yaml";
import { colors } from "./colors.ts";
import { diskFault } from "./disk.ts";
import { type Ending, endLine, headlinesOf, pagesOf } from "./ending.ts";
import type { SlurmEvents } from "./executors/slurm.ts";
import { expand, type Setting, type Study, settingText } from "./expand.ts";
import { suggest } from "./faults.ts";
import { CodeBook } from "./fingerprint.ts";
import { revisionOf } from "./git.ts";
import { JsonLines } from "./json-lines.ts";
import { refuseLeaks } from "./leaks.ts";
import { load } from "./load.ts";
import { addMaking } from "./making.ts";
import { Plan } from "./plan.ts";
import { bytesOf, counted } from "./quantities.ts";
import type { RemoteOptions, SharedCache } from "./remote.ts";
import { resolve, type Task } from "./resolve.ts";
import { addSharing, remoteOption } from "./sharing.ts";
import { UserError } from "./stage.ts";
import { Store } from "./store.ts";
import { addUpkeep } from "./upkeep.ts";

interface Options extends RemoteOptions {
  profile?: string;
  pipeline: string;
  cache: string;
  set: Setting[];
  only: string[];
  from: string[];
  force?: boolean;
  jobs?: number;
  executor: "local" | "slurm";
  detach?: boolean;
  memory?: number;
  gpus?: number;
  mirror?: string;
  keepGoing?: boolean;
  debug?: boolean;
  strict?: boolean;
  quiet?: boolean;
  jsonLines?: boolean;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

function memory(text: string): number {
  const bytes = bytesOf(text);
  if (!bytes) throw new InvalidArgumentError("Write it as 500MB or 16GB.");
  return bytes;
}

function gpus(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 0.");
  return Number(text);
}

/** `train.loss.margin=0.3` */
function setting(text: string, before: Setting[]): Setting[] {
  const cut = text.indexOf("=");
  const path = text.slice(0, cut).split(".");
  if (cut < 1 || path.length < 2 || path.includes(""))
    throw new InvalidArgumentError("Write stage.param=value or vars.name=value.");
  try {
    return [...before, { path, value: parse(text.slice(cut + 1)) }];
  } catch (error) {
    throw new InvalidArgumentError(
      `Its value is no YAML: ${(error as Error).message.split("\n")[0].replace(/ at line .*/, "")}`,
    );
  }
}

/** `a,b` and repeated; a comma within [...] belongs to the instance's name. */
const several = (text: string, before: string[]) => [...before, ...text.split(/,(?![^[]*\])/)];

/** The options every command takes. */
function withOptions(command: Command): Command {
  return command
    .option("-p, --profile <name>", "which profile of pipeline.yaml (default: the one it names)")
    .option(
      "--set <stage.param=value>",
      "put another value in the place of a param, or of a var (vars.NAME=VALUE); may be repeated",
      setting,
      [],
    )
    .option("--pipeline <file>", "the pipeline file", "pipeline.yaml")
    .option("--cache <folder>", "the store", "cache")
    .option("--debug", "show stack traces");
}

/** The options of the commands that run stages. */
function withRunOptions(command: Command): Command {
  return withOptions(command)
    .option("--only <stage>", "run this stage and what it needs, nothing else; may be repeated", several, [])
    .option(
      "--from <stage>",
      "run this stage and all that follows from it again; may be repeated",
      several,
      [],
    )
    .option("-f, --force", "run again what is up to date (with --only: that stage)")
    .option("-j, --jobs <n>", "cores that the stages may use together (default: all)", wholeNumber)
    .addOption(
      new Option("--executor <where>", "run the stages here, or as jobs of a Slurm cluster")
        .choices(["local", "slurm"])
        .default("local"),
    )
    .option("--detach", "with --executor slurm: submit the jobs and leave them to themselves")
    .option("--memory <amount>", "memory that the stages may claim together, as 16GB (default: all)", memory)
    .option("--gpus <n>", "GPUs that the stages may claim together (default: those found)", gpus)
    .option("--mirror <folder>", "look for downloads by file name in this folder first")
    .addOption(remoteOption())
    .option("--remote-push", "also put results into the shared cache, signed (see the command key)")
    .option("--strict", "a stage fails that reads or writes what it does not declare (else it warns)")
    .addOption(
      new Option("-k, --keep-going", "after a failure, go on with the stages that do not depend on it"),
    );
}

/** Two signals that come closer than this are one press of Ctrl-C. */
const TWICE_MILLISECONDS = 500;

interface Session {
  root: string;
  study: Study;
  tasks: Task[];
  store: Store;
  plan: Plan;
  latest: Record<string, string>;
}

/** All tasks upstream (or downstream) of the named stages, these included. */
function closure(tasks: Task[], stages: string[], way: "up" | "down"): Set<string> {
  const found = new Set(
    tasks.filter(({ id, stage }) => stages.includes(stage) || stages.includes(id)).map(({ id }) => id),
  );
  const order = way === "up" ? [...tasks].reverse() : tasks;
  for (const task of order) {
    const upstream = Object.values(task.inputs).flatMap((list) =>
      list.flatMap((one) => ("id" in one ? [one.id] : [])),
    );
    if (way === "up" && found.has(task.id)) for (const id of upstream) found.add(id);
    if (way === "down" && upstream.some((id) => found.has(id))) found.add(task.id);
  }
  return found;
}

async function prepare(options: Options): Promise<Session> {
  const root = process.cwd();
  const study = expand(load(absolute(options.pipeline), root), options.profile, options.set);
  let tasks = await resolve(study, root, new CodeBook(root));
  refuseLeaks(tasks, root);
  const stages = [...new Set(tasks.flatMap(({ stage, id }) => [stage, id]))];
  for (const [option, names] of [
    ["--only", options.only],
    ["--from", options.from],
  ] as const)
    for (const name of names ?? [])
      if (!stages.includes(name))
        throw new UserError(
          `${option} ${name}: the profile ${study.profile} has no such stage.${suggest(name, stages)}`,
        );
  const named = (names: string[] = []) =>
    tasks.filter(({ stage, id }) => names.includes(stage) || names.includes(id)).map(({ id }) => id);
  const forced = new Set<string>();
  if (options.force)
    for (const id of options.only?.length ? named(options.only) : tasks.map(({ id }) => id)) forced.add(id);
  if (options.from?.length) for (const id of closure(tasks, options.from, "down")) forced.add(id);
  if (options.only?.length) {
    const wanted = closure(tasks, options.only, "up");
    tasks = tasks.filter(({ id }) => wanted.has(id));
  }
  const store = new Store(isAbsolute(options.cache) ? options.cache : join(root, options.cache));
  const latest = store.latest(study.profile);
  const plan = new Plan(tasks, store, root, forced, latest);
  plan.strict = options.strict === true;
  return { root, study, tasks, store, plan, latest };
}

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
async function runStages(session: Session, options: Options): Promise<Run> {
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

async function runCommand(options: Options): Promise<number> {
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

async function checkCommand(options: Options): Promise<number> {
  const session = await prepare(options);
  if (options.detach) throw new UserError("check --detach: numbers are compared when all is there. Use run.");
  const { code } = await runStages(session, options);
  if (code !== 0) return code;
  const { check, verdict } = await import("./check.ts");
  const rule = session.study.check;
  const { passed, lines } = verdict(await check(session.plan, session.store, session.root, rule), rule);
  for (const line of lines) console[passed ? "log" : "error"](line);
  return passed ? 0 : 1;
}

async function diffCommand(revision: string, options: Options): Promise<number> {
  const { plan, store, root } = await prepare(options);
  plan.advance();
  const { diff } = await import("./diff.ts");
  console.log(await diff(plan, store, root, revision));
  return 0;
}

async function statusCommand(options: Options): Promise<number> {
  const { plan, study } = await prepare(options);
  plan.advance();
  const { status } = await import("./views.ts");
  console.log(`Profile ${study.profile}`);
  console.log(status(plan));
  return 0;
}

async function whyCommand(stage: string, options: Options): Promise<number> {
  const { plan, store, latest, tasks } = await prepare(options);
  plan.advance();
  const names = [...new Set(tasks.flatMap((task) => [task.stage, task.id]))];
  if (!names.includes(stage)) throw new UserError(`why ${stage}: no such stage.${suggest(stage, names)}`);
  const { why } = await import("./why.ts");
  console.log(why(plan, store, latest, stage));
  return 0;
}

/** The profile that publishes to a path, unless one is named. */
function publishing(options: Options, path: string): string | undefined {
  if (options.profile !== undefined) return options.profile;
  const pipeline = load(absolute(options.pipeline), process.cwd());
  return Object.keys(pipeline.profiles).find((name) => {
    const only = options.set.filter(({ path: [head] }) => head === "vars" || pipeline.stages[head]);
    return expand(pipeline, name, only).instances.some(
      ({ publish }) => publish !== undefined && `${path}/`.startsWith(`${publish}/`),
    );
  });
}

async function explainCommand(target: string, options: Options): Promise<number> {
  const { explain, parseTarget } = await import("./explain.ts");
  const profile = publishing(options, parseTarget(target).path);
  const { plan, store, root, study } = await prepare({ ...options, profile });
  plan.advance();
  console.log(await explain(plan, store, root, study.profile, target, options.set.map(settingText)));
  return 0;
}

async function whatIfCommand(options: Options): Promise<number> {
  const { plan, store, study } = await prepare(options);
  plan.advance();
  const { whatIf } = await import("./what-if.ts");
  console.log(`Profile ${study.profile}`);
  console.log(whatIf(plan, store, options.jobs ?? availableParallelism()));
  return 0;
}

async function graphCommand(format: string, options: Options): Promise<number> {
  if (format !== "mermaid" && format !== "dot") throw new UserError(`graph ${format}: write mermaid or dot.`);
  const { tasks } = await prepare(options);
  const { graph } = await import("./views.ts");
  console.log(graph(tasks, format));
  return 0;
}

/** One line of the help. */
function describe({ flags, description, defaultValue }: Option): string {
  const preset = ["string", "number"].includes(typeof defaultValue) ? ` (default: ${defaultValue})` : "";
  return `  ${flags.padEnd(26)} ${description}${preset}`;
}

async function noCommand(word: string, program: Command): Promise<never> {
  const names = program.commands.map((command) => command.name());
  throw new UserError(`no command "${word}".${suggest(word, names) || ` There are ${names.join(", ")}.`}`);
}

/** Puts the command's name first, so that options may stand before it. */
export function commandFirst(args: string[], program: Command): string[] {
  const takesValue = program.commands.flatMap(({ options }) =>
    options.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]),
  );
  const names = program.commands.map((command) => command.name());
  const at = args.findIndex((arg, index) => names.includes(arg) && !takesValue.includes(args[index - 1]));
  return at < 0 ? args : [args[at], ...args.slice(0, at), ...args.slice(at + 1)];
}

type Guard = (work: Promise<number>, debug: boolean | undefined) => Promise<void>;

/** All commands with their options. @param guard is given what a command does, and answers for its faults */
export function programOf(guard: Guard): Command {
  const program = new Command("npm run pipeline --")
    .description("Runs the study of pipeline.yaml: whatever changed, and what follows from it.")
    .exitOverride()
    .showSuggestionAfterError();
  withRunOptions(
    program
      .command("run", { isDefault: true })
      .allowExcessArguments() // a command mistyped comes here: see noCommand
      .description("run the profile (what happens without a command)"),
  )
    .addOption(new Option("-q, --quiet", "say what goes wrong, and how it ended").conflicts("jsonLines"))
    .option("--json-lines", "tell events as JSON, one a line: for programs")
    .action((options: Options, { args }: Command) =>
      guard(args.length ? noCommand(args[0], program) : runCommand(options), options.debug),
    );
  withOptions(program.command("status").description("what is up to date, and what would run")).action(
    (options: Options) => guard(statusCommand(options), options.debug),
  );
  withOptions(
    program
      .command("why")
      .argument("<stage>", "a stage, or one instance of it")
      .description("why a stage would run, or where its result comes from"),
  ).action((stage: string, options: Options) => guard(whyCommand(stage, options), options.debug));
  withOptions(
    program.command("graph").argument("[format]", "mermaid or dot", "mermaid").description("the DAG"),
  ).action((format: string, options: Options) => guard(graphCommand(format, options), options.debug));
  withRunOptions(
    program
      .command("what-if")
      .description("what a run would do, as with --set stage.param=value, and how long it may take"),
  ).action((options: Options) => guard(whatIfCommand(options), options.debug));
  withRunOptions(
    program
      .command("check")
      .description("run, and compare the numbers with the committed report; exit code 1 where they differ"),
  ).action((options: Options) => guard(checkCommand(options), options.debug));
  addUpkeep(program, { withOptions, prepare, guard });
  addSharing(program, { withOptions, prepare, guard });
  withOptions(
    program
      .command("explain")
      .argument("<report#number>", "as reports/sample#facenet/semihard-negative.map")
      .description("from a number of a report back to stages, params, data, seed, code and the command"),
  ).action((target: string, options: Options) => guard(explainCommand(target, options), options.debug));
  withOptions(
    program
      .command("diff")
      .argument("<revision>", "a commit, a branch or a tag of git")
      .description("the numbers of that revision's report against now, and how sure each difference is"),
  ).action((revision: string, options: Options) => guard(diffCommand(revision, options), options.debug));
  addMaking(program, guard);
  program.addHelpText(
    "after",
    `
Options of run (also of check; status, why and graph know the first four and --debug):
${program.commands[0].options.map(describe).join("\n")}

Examples:
  npm run pipeline                                        the default profile
  npm run pipeline -- --profile cifar10 --mirror ~/data   the real study, downloads looked for in ~/data first
  npm run pipeline -- --only train --set train.steps=100  one stage and what it needs, with another param
  npm run pipeline -- why evaluate                        why it would run
  npm run pipeline -- explain reports/sample#facenet/all.map  what is behind that number
  npm run pipeline -- diff HEAD~3                         the report's numbers since, with how sure each change is
  npm run pipeline -- what-if --set train.steps=300       what that would run, and for how long
  npm run pipeline -- new loss my-loss                    a loss of your own: its file and its test
  npm run pipeline -- init ~/photos                       a pipeline for your own images

Exit codes: 0 well, 1 a failure (or numbers that differ), 2 a fault in what was given, 130 cancelled.`,
  );
  return program;
}

/** Runs one command and sets the exit code: 0 well, 1 a failure, 2 a fault of what the user gave. */
export async function main(args: string[]): Promise<void> {
  const guard: Guard = async (work, debug) => {
    try {
      process.exitCode = await work;
    } catch (error) {
      const { name, stack } = error as NodeJS.ErrnoException;
      console.error(colors.red(diskFault(error as NodeJS.ErrnoException)));
      if (debug) console.error(stack);
      process.exitCode = name === "UserError" ? 2 : 1;
    }
  };
  // As `| head` does: who reads has seen enough.
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? 0 : 1));
  const program = programOf(guard);
  try {
    await program.parseAsync(commandFirst(args, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2; // it has said what is wrong itself
  }
}
