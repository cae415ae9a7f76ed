/** All commands with their options and their help. */
import { Command, Option } from "commander";
import { refuseEmptyPaths, wordErrors } from "../arguments/index.ts";
import { UserError } from "../stage.ts";
import { colors, suggest } from "../text/index.ts";
import {
  addCompletion,
  addMaking,
  addSearching,
  addSharing,
  addUpkeep,
  SEARCHING,
} from "./commands/index.ts";
import { addExamples, overview } from "./help.ts";
import { addInspecting, addRunning } from "./inspecting.ts";
import { type Options, withOptions, withRunOptions } from "./options.ts";
import { runCommand } from "./run.ts";
import { prepare } from "./session.ts";

/** The properties of the program that the launcher passes on. */
export interface Launched {
  /** How a person starts it. */
  command: string;
  version: string;
  /** The folder of the package. */
  home: string;
}

/** The program as `npm run pipeline` starts it, in the folder of the package. */
export const USUAL: Launched = { command: "npm run pipeline --", version: "", home: process.cwd() };

/** Runs a command and sets the exit code. */
export type Guard = (work: Promise<number>, debug: boolean | undefined) => Promise<void>;

/** The commands that the help lists. */
const commandNames = (program: Command): string[] =>
  program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name())
    .filter((name) => name !== "help");

/** @throws UserError with the nearest command */
export async function noCommand(word: string, program: Command): Promise<never> {
  const names = [...commandNames(program), "help"];
  throw new UserError(`no command "${word}".${suggest(word, names) || ` There are ${names.join(", ")}.`}`);
}

/** Puts the command's name first, so that options may come before it. */
export function commandFirst(args: string[], program: Command): string[] {
  const takesValue = program.commands.flatMap(({ options }) =>
    options.filter(({ required }) => required).flatMap(({ short, long }) => [short, long].filter(Boolean)),
  );
  const names = [...program.commands.map((command) => command.name()), "help"];
  const at = args.findIndex((arg, index) => names.includes(arg) && !takesValue.includes(args[index - 1]));
  if (at < 0) return args;
  const [name, ...rest] = [args[at], ...args.slice(0, at), ...args.slice(at + 1)];
  return name === "help" && SEARCHING.includes(rest[0]) ? [rest[0], "--help"] : [name, ...rest];
}

function addRun(program: Command, guard: Guard): void {
  withRunOptions(
    program
      .command("run", { isDefault: true })
      .allowExcessArguments() // a mistyped command comes here: see noCommand
      .description("run the profile (the default command)"),
  )
    .optionsGroup("Output:")
    .addOption(new Option("-q, --quiet", "print only errors and the last line").conflicts("jsonLines"))
    .option("--json-lines", "print each event as a line of JSON, for programs")
    .action((options: Options, { args }: Command) =>
      guard(args.length ? noCommand(args[0], program) : runCommand(options), options.debug),
    );
}

/** All commands with their options. @param guard runs them and reports their errors */
export function programOf(guard: Guard, { command, version, home }: Launched = USUAL): Command {
  const program = new Command(command)
    .description("Runs the stages of pipeline.yaml that changed, and those that depend on them.")
    .usage("[command] [options]")
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp(overview);
  if (version) program.version(version, "-V, --version", "print the version");
  const shared = { withOptions, prepare, guard };
  program.commandsGroup("Run:");
  addRun(program, guard);
  addRunning(program, guard);
  program.commandsGroup("Inspect:");
  addInspecting(program, guard);
  program.commandsGroup("Create and search:");
  addMaking(program, guard);
  addSearching(program, guard, home);
  program.commandsGroup("Store:");
  addUpkeep(program, shared);
  addSharing(program, shared);
  program.commandsGroup("Help:");
  addCompletion(program, guard, home);
  program.helpCommand("help [command]", "show the options and examples of a command");
  addExamples(program, command);
  refuseEmptyPaths(program);
  wordErrors(
    program,
    (name) => `${command} help ${name}`.trimEnd(),
    (line) => console.error(colors.red(line)),
  );
  return program;
}
