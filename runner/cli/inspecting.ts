/** The commands that compare and explain results: check, status, why, what-if, graph, explain and diff. */
import { appendFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve as absolute } from "node:path";
import { type Command, Option } from "commander";
import { named } from "../plan/index.ts";
import { UserError } from "../stage.ts";
import { expand, load, settingText, stageNames } from "../study/index.ts";
import { markdownTable, suggest } from "../text/index.ts";
import { type Options, withOptions, withRunOptions } from "./options.ts";
import { runStages } from "./run.ts";
import { prepare } from "./session.ts";

/** The formats of `graph`. */
const FORMATS = ["mermaid", "dot"];

/** Adds lines to a file, as the summary of a job that other steps write to, too. */
function append(file: string, lines: string[]): void {
  try {
    appendFileSync(file, `${lines.join("\n")}\n`);
  } catch (error) {
    throw new UserError(
      `--markdown ${file}: cannot be written (${(error as Error).message}). Name another file.`,
    );
  }
}

async function checkCommand(options: Options & { markdown?: string }): Promise<number> {
  const session = await prepare(options);
  if (options.detach)
    throw new UserError(
      "check --detach: check compares numbers after the last stage has ended. Write run --detach, then check.",
    );
  const { code } = await runStages(session, options);
  if (code !== 0) return code;
  const { check, verdict } = await import("../inspect/index.ts");
  const rule = session.study.check;
  const result = await check(session.plan, session.store, session.root, rule);
  const { passed, lines } = verdict(result, rule);
  if (options.markdown) append(options.markdown, verdict(result, rule, markdownTable).lines);
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
  console.log(status(plan, process.stdout.columns));
  return 0;
}

async function whyCommand(stage: string, options: Options): Promise<number> {
  const { plan, store, latest, tasks } = await prepare(options);
  plan.advance();
  const wanted = named(stage, tasks, `why ${stage}: no such stage.`);
  const { why } = await import("../inspect/index.ts");
  console.log(why(plan, store, latest, wanted, options.all));
  return 0;
}

/** The profile that publishes to a path, unless one is named. */
function publishing(options: Options, path: string): string | undefined {
  if (options.profile !== undefined) return options.profile;
  const pipeline = load(absolute(options.pipeline), process.cwd());
  return pipeline.profiles.find((name) => {
    const stages = stageNames(pipeline.study(name));
    const only = options.set.filter(({ path: [head] }) => head === "vars" || stages.includes(head));
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
  console.log(
    await explain(plan, store, root, study.profile, target, options.set.map(settingText), options.all),
  );
  return 0;
}

async function whatIfCommand(options: Options): Promise<number> {
  const { plan, store, study } = await prepare(options);
  plan.advance();
  const { whatIf } = await import("../inspect/index.ts");
  console.log(`Profile ${study.profile}`);
  console.log(whatIf(plan, store, options.jobs ?? availableParallelism(), process.stdout.columns));
  return 0;
}

async function graphCommand(format: string, options: Options): Promise<number> {
  if (format !== "mermaid" && format !== "dot")
    throw new UserError(
      `graph ${format}: no such format.${suggest(format, FORMATS) || " Write mermaid or dot."}`,
    );
  const { tasks } = await prepare(options);
  const { graph } = await import("../inspect/index.ts");
  console.log(graph(tasks, format));
  return 0;
}

type Guard = (work: Promise<number>, debug: boolean | undefined) => Promise<void>;

/** Adds `check` and `what-if`, which take the options of a run. */
export function addRunning(program: Command, guard: Guard): void {
  withRunOptions(
    program
      .command("check")
      .description("run, then compare with the committed numbers")
      .option("--markdown <file>", "append the differences to a file, as a table of Markdown")
      .addHelpText("after", "\nThe exit code is 1 where numbers differ."),
  ).action((options: Options & { markdown?: string }) => guard(checkCommand(options), options.debug));
  withRunOptions(
    program.command("what-if").description("list the stages that would run, with their time"),
  ).action((options: Options) => guard(whatIfCommand(options), options.debug));
}

/** Adds the commands that only read. */
export function addInspecting(program: Command, guard: Guard): void {
  const all = () => new Option("--all", "show every line, also of instances that say the same");
  withOptions(
    program.command("status").description("list up-to-date stages and stages that would run"),
  ).action((options: Options) => guard(statusCommand(options), options.debug));
  withOptions(
    program
      .command("why")
      .argument("<stage>", "a stage, or one instance of it")
      .description("show why a stage would run, or how its result arose")
      .addOption(all()),
  ).action((stage: string, options: Options) => guard(whyCommand(stage, options), options.debug));
  withOptions(
    program
      .command("explain")
      .argument("<report#number>", "as in reports/sample#facenet/semihard-negative.map")
      .description("trace a number to its stages, params, data and code")
      .addOption(all()),
  ).action((target: string, options: Options) => guard(explainCommand(target, options), options.debug));
  withOptions(
    program
      .command("diff")
      .argument("<revision>", "a commit, a branch or a tag of git")
      .description("compare the numbers with those of a git revision"),
  ).action((revision: string, options: Options) => guard(diffCommand(revision, options), options.debug));
  withOptions(
    program
      .command("graph")
      .argument("[format]", FORMATS.join(" or "), FORMATS[0])
      .description("print the graph of the stages (Mermaid, Graphviz)"),
  ).action((format: string, options: Options) => guard(graphCommand(format, options), options.debug));
}
