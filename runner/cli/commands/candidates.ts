/** The words that may come next on a command line. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Option } from "commander";
import { given } from "../../files/index.ts";
import { expand, load } from "../../study/index.ts";
import { kinds } from "./scaffold.ts";

/** Stands for the names of files. */
export const FILES = ":files";

/** A word, and its effect in a few words. */
export interface Candidate {
  word: string;
  effect?: string;
}

const words = (list: Iterable<string>): Candidate[] => [...new Set(list)].map((word) => ({ word }));

/** A command that runs the profile, named after the npm script. */
const PIPELINE = "pipeline";

/** The study of a line, as far as it can be read: a broken file completes nothing. */
class Known {
  private readonly line: string[];
  private readonly root: string;
  constructor(line: string[], root: string) {
    this.line = line;
    this.root = root;
  }

  private valueOf(...names: string[]): string | undefined {
    const at = this.line.findLastIndex((word) => names.includes(word));
    return at < 0 ? undefined : this.line[at + 1];
  }

  private load() {
    return load(given(this.valueOf("--pipeline") ?? "pipeline.yaml", this.root), this.root);
  }

  profiles(): string[] {
    return this.load().profiles;
  }

  private instances() {
    const profile = this.valueOf("--profile", "-p");
    return expand(this.load(), profile).instances;
  }

  stages(current: string): string[] {
    const instances = this.instances();
    const stages = instances.map(({ stage }) => stage);
    return current.includes("[") ? instances.map(({ id }) => id) : stages;
  }

  folders(): string[] {
    return this.instances().flatMap(({ publish }) => (publish === undefined ? [] : [`${publish}#`]));
  }

  /** The vars of the profile of the line, or of all if it names none. */
  private vars(): string[] {
    const pipeline = this.load();
    const profile = this.valueOf("--profile", "-p");
    const profiles = profile === undefined ? pipeline.profiles : [profile];
    return profiles.flatMap((name) => Object.keys(pipeline.study(name).vars));
  }

  /** `stage.param=` and `vars.name=` once the stage is written, before that `stage.` */
  settings(current: string): string[] {
    const cut = current.indexOf(".");
    const head = current.slice(0, Math.max(0, cut));
    if (head === "vars") return this.vars().map((name) => `vars.${name}=`);
    const instances = this.instances();
    if (cut < 0) return ["vars", ...instances.map(({ stage }) => stage)].map((name) => `${name}.`);
    const uses = instances.find(({ stage }) => stage === head)?.uses;
    const schema = join(this.root, `schemas/${uses}.params.schema.json`);
    if (!existsSync(schema)) return [];
    const { properties = {} } = JSON.parse(readFileSync(schema, "utf8"));
    return Object.keys(properties).map((name) => `${head}.${name}=`);
  }
}

/** The values of an option. */
function valuesOf({ long, argChoices }: Option, known: Known, current: string): Candidate[] {
  if (argChoices) return words(argChoices);
  switch (long) {
    case "--profile":
      return words(known.profiles());
    case "--only":
    case "--from":
    case "--rerun":
      return words(known.stages(current));
    case "--set":
      return words(known.settings(current));
    default:
      return words([FILES]);
  }
}

/** The arguments of a command. */
function argumentsOf(command: Command, program: Command, known: Known, current: string): Candidate[] {
  switch (command.name()) {
    case "run":
    case "help":
      return commandsOf(program);
    case "why":
      return words(known.stages(current));
    case "explain":
      return words(known.folders());
    case "graph":
      return words(["mermaid", "dot"]);
    case "new":
      return words(kinds(process.cwd()));
    case "completion":
      return words(["bash", "zsh", "fish"]);
    default:
      return command.registeredArguments.length ? words([FILES]) : [];
  }
}

const commandsOf = (program: Command): Candidate[] => [
  ...program.commands
    .filter((command) => !(command as Command & { _hidden: boolean })._hidden)
    .map((command) => ({ word: command.name(), effect: command.description() })),
  { word: "help", effect: "show the options of a command, with examples" },
];

const optionsOf = (command: Command): Candidate[] => [
  ...command.options.flatMap(({ long, description }) => (long ? [{ word: long, effect: description }] : [])),
  { word: "--help", effect: "show the options, with examples" },
];

/**
 * The words that may come next.
 * @param line the command line up to the cursor, from the name of the program on
 * @param root the project's folder
 */
export function candidates(line: string, program: Command, root: string): Candidate[] {
  const all = line.trimStart().split(/\s+/).slice(1);
  if (all[0] === PIPELINE && all.length > 1) all.shift();
  const current = all.pop() ?? "";
  const known = new Known(all, root);
  const named = all.map((word) => program.commands.find((one) => one.name() === word)).find(Boolean);
  const command = named ?? program.commands[0];
  const isHelp = all[0] === "help";
  const [, option, equals] = /^(--[\w-]+)(=)/.exec(current) ?? [];
  const before = equals ? option : all.at(-1);
  const taking = command.options.find(
    ({ short, long, required }) => required && before !== undefined && [short, long].includes(before),
  );
  try {
    const value = equals ? current.slice(option.length + 1) : current;
    const found = taking
      ? valuesOf(taking, known, value).map(({ word }) => ({
          word: equals && word !== FILES ? `${option}=${word}` : word,
        }))
      : current.startsWith("-")
        ? optionsOf(command)
        : isHelp
          ? commandsOf(program)
          : argumentsOf(command, program, known, current);
    const start = found.filter(({ word }) => word === FILES || word.startsWith(current));
    return start;
  } catch {
    return []; // a pipeline file that cannot be read: the command itself reports it
  }
}
