/** The help: one screen for all commands, one page for each. */
import type { Command, Help } from "commander";
import { columns } from "../text/index.ts";

/** One command line and its effect. */
type Example = [args: string, effect: string];

/** The examples of each command. */
const EXAMPLES: Record<string, Example[]> = {
  run: [
    ["", "run the default profile"],
    ["--profile cifar10 --mirror ~/data", "the full study; ~/data holds the downloads"],
    ["--only train-race --set train-race.steps=100", "one stage and those it needs, with another param"],
    ["--from train-race --keep-going", "rerun a stage and what follows; go on after a failure"],
  ],
  check: [["--profile sample", "compare the committed report of a profile"]],
  "what-if": [["--set train-race.steps=300", "list the stages that this change reruns"]],
  status: [["--profile cifar10", "the state of another profile"]],
  why: [
    ["train-race", "every instance of train-race; equal reasons are one line"],
    ["evaluate-race --set train-race.steps=300", "the reason after a change"],
  ],
  explain: [
    ["reports/sample#facenet/all.map", "trace one number"],
    ["reports/sample", "list the numbers of a report"],
  ],
  diff: [["HEAD~3", "the numbers of three commits ago, against the current ones"]],
  graph: [["dot", "for Graphviz"]],
  init: [["~/photos --bits 64", "write photos.pipeline.yaml"]],
  new: [["loss my-loss", "a loss of your own with its test"]],
  verify: [
    ["", "read every object of the store"],
    ["--rerun train-race", "rerun a stage and compare its outputs"],
  ],
  gc: [
    ["--dry-run", "list the results that gc would remove"],
    ["--max-size 5GB", "remove the oldest results until the store fits"],
  ],
  serve: [["--index indexes/photos", "open the address that it prints"]],
  page: [["--index indexes/photos --out site", "a folder for any web server"]],
  push: [["--remote /mnt/team/deephash", "upload the results that are up to date"]],
  completion: [["bash >> ~/.bashrc", "complete commands, options, profiles and stages"]],
};

const EXIT_CODES = "Exit codes: 0 success, 1 failure or difference, 2 invalid input, 130 cancelled.";

/** Columns of a terminal that examples are laid out for. */
const WIDTH = 80;

/** Command lines beside their effects, or, where one would not fit, below them. */
function exampleLines(command: string, name: string): string[] {
  const rows = EXAMPLES[name].map(([args, effect]) => [
    `  ${[command, name, args].filter(Boolean).join(" ").replace(/ --$/, "")}`,
    effect,
  ]);
  const beside = columns(rows);
  if (beside.every((line) => line.length <= WIDTH)) return beside;
  return rows.flatMap(([line, effect]) => [`  ${effect}:`, `  ${line}`]);
}

/** How commander lays out a page. */
export const overview: Partial<Help> = {
  subcommandTerm: (command) =>
    [
      command.name(),
      ...command.registeredArguments.map((argument) => {
        const shown = `${argument.name()}${argument.variadic ? " …" : ""}`;
        return argument.required ? `<${shown}>` : `[${shown}]`;
      }),
    ].join(" "),
  // The overview names --help and --version in its last lines.
  visibleOptions(command) {
    const visible = command.options.filter(({ hidden }) => !hidden);
    return command.parent ? visible : [];
  },
  optionDescription({ description, argChoices, defaultValue, envVar }) {
    const more = [
      ...(argChoices ? [argChoices.join(" or ")] : []),
      ...(["string", "number"].includes(typeof defaultValue) ? [`default: ${defaultValue}`] : []),
      ...(envVar ? [`or the variable ${envVar}`] : []),
    ];
    return `${description}${more.length ? ` (${more.join("; ")})` : ""}`;
  },
};

/** Adds the examples to the page of every command. @param command how a person starts the program */
export function addExamples(program: Command, command: string): void {
  program.addHelpText(
    "after",
    `
Options: those of run, see "help run"; --version; --help after every command.

${EXIT_CODES}`,
  );
  for (const one of program.commands)
    if (EXAMPLES[one.name()])
      one.addHelpText("after", `\nExamples:\n${exampleLines(command, one.name()).join("\n")}`);
}
