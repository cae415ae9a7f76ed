/** The commands. */
import { availableParallelism } from "node:os";
import { resolve as absolute } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { isUserError, UserError } from "../stage.ts";
import { expand, load, settingText } from "../study/index.ts";
import { colors, diskFault, guardOutput, suggest, thrown } from "../text/index.ts";
import { addMaking, addSharing, addUpkeep } from "./commands/index.ts";
import { type Options, withOptions, withRunOptions } from "./options.ts";
import { runCommand, runStages } from "./run.ts";
import { prepare } from "./session.ts";

async function checkCommand(options: Options): Promise<number> {
  const session = await prepare(options);
  if (options.detach) throw new UserError("check --detach: numbers are compared when all is there. Use run.");
  const { code } = await runStages(session, options);
  if (code !== 0) return code;
  const { check, verdict } = await import("../inspect/index.ts");
  const rule = session.study.check;
  const { passed, lines } = verdict(await check(session.plan, session.store, session.root, rule), rule);
  for (const line of lines) console[passed ? "log" : "error"](line);
  return passed ? 0 : 1;
}

async function diffCommand(revision: string, options: Options): Promise<number> {
  const { plan, store, root } = await prepare(options);
  plan.advance();
  const { diff } = await import("../inspect/index.ts");
  console.log(await diff(plan, store, root, revision));
  return 0;
}

async function statusCommand(options: Options): Promise<number> {
  const { plan, study } = await prepare(options);
  plan.advance();
  const { status } = await import("../inspect/index.ts");
  console.log(`Profile ${study.profile}`);
  console.log(status(plan));
  return 0;
}

async function whyCommand(stage: string, options: Options): Promise<number> {
  const { plan, store, latest, tasks } = await prepare(options);
  plan.advance();
  const names = [...new Set(tasks.flatMap((task) => [task.stage, task.id]))];
  if (!names.includes(stage)) throw new UserError(`why ${stage}: no such stage.${suggest(stage, names)}`);
  const { why } = await import("../inspect/index.ts");
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
  const { explain, parseTarget } = await import("../inspect/index.ts");
  const profile = publishing(options, parseTarget(target).path);
  const { plan, store, root, study } = await prepare({ ...options, profile });
  plan.advance();
  console.log(await explain(plan, store, root, study.profile, target, options.set.map(settingText)));
  return 0;
}

async function whatIfCommand(options: Options): Promise<number> {
  const { plan, store, study } = await prepare(options);
  plan.advance();
  const { whatIf } = await import("../inspect/index.ts");
  console.log(`Profile ${study.profile}`);
  console.log(whatIf(plan, store, options.jobs ?? availableParallelism()));
  return 0;
}

async function graphCommand(format: string, options: Options): Promise<number> {
  if (format !== "mermaid" && format !== "dot") throw new UserError(`graph ${format}: write mermaid or dot.`);
  const { tasks } = await prepare(options);
  const { graph } = await import("../inspect/index.ts");
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
      process.exitCode = (await work) || process.exitCode;
    } catch (error) {
      const { stack, ...rest } = thrown(error);
      console.error(colors.red(diskFault(rest)));
      if (debug) console.error(stack);
      process.exitCode = isUserError(error) ? 2 : 1;
    }
  };
  guardOutput();
  const program = programOf(guard);
  try {
    await program.parseAsync(commandFirst(args, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2; // it has said what is wrong itself
  }
}
