/** The help, and the words that a shell completes. */
import { describe, expect, test } from "vitest";
import { candidates, FILES } from "../../../runner/cli/commands/candidates.ts";
import { commandFirst, programOf, USUAL } from "../../../runner/cli/program.ts";

const program = programOf(async () => {}, { ...USUAL, version: "1.2.3" });
for (const one of [program, ...program.commands])
  one.configureOutput({ getOutHelpWidth: () => 80 }).exitOverride();

/** A page of help on a terminal of 80 columns. */
function pageOf(name?: string): string[] {
  const one = name ? program.commands.find((command) => command.name() === name)! : program;
  let text = "";
  one.configureOutput({ writeOut: (more) => (text += more), getOutHelpWidth: () => 80 });
  one.outputHelp();
  return text.trimEnd().split("\n");
}
const visible = program
  .createHelp()
  .visibleCommands(program)
  .map((command) => command.name());

describe("the help", () => {
  test("of all commands fits on 40 lines of 80 columns, and names each with its effect", () => {
    const lines = pageOf();
    expect(lines.length).toBeLessThanOrEqual(40);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(visible.length).toBeGreaterThan(15);
    for (const name of visible)
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^ {2}${name}( \\S.*)? {2,}\\w`)));
    expect(lines.join("\n")).not.toContain("complete <line>");
  });
  test.each(
    visible.filter((name) => !["help", "search", "index"].includes(name)),
  )("of %s shows its options in groups, and its command line", (name) => {
    const lines = pageOf(name);
    expect(lines[0]).toMatch(new RegExp(`^Usage: npm run pipeline -- ${name}\\b`));
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    const { options } = program.commands.find((command) => command.name() === name)!;
    for (const { long } of options) expect(lines.some((line) => line.includes(` ${long}`))).toBe(true);
  });
  test("is found by `help NAME`, wherever the command is written", () => {
    expect(commandFirst(["help", "why"], program)).toEqual(["help", "why"]);
    expect(commandFirst(["help", "search"], program)).toEqual(["search", "--help"]);
    expect(commandFirst(["--profile", "check", "why", "train"], program)).toEqual([
      "why",
      "--profile",
      "check",
      "train",
    ]);
  });
});

describe("completion", () => {
  const words = (line: string) => candidates(line, program, process.cwd()).map(({ word }) => word);
  test.each([
    ["deephash che", ["check"]],
    ["deephash pipeline che", ["check"]],
    ["deephash help gr", ["graph"]],
    ["deephash check --prof", ["--profile"]],
    ["deephash --keep", ["--keep-going"]],
    ["deephash --profile cif", ["cifar10"]],
    ["deephash check -p fash", ["fashion-mnist"]],
    ["deephash --profile=cif", ["--profile=cifar10"]],
    ["deephash --executor sl", ["slurm"]],
    ["deephash why evalu", ["evaluate-race"]],
    ["deephash graph d", ["dot"]],
    ["deephash new lo", ["loss"]],
    ["deephash completion f", ["fish"]],
    ["deephash explain reports/sam", ["reports/sample#"]],
    ["deephash --set map-r", ["map-raw."]],
    ["deephash --set train-race.learning_r", ["train-race.learning_rate="]],
    ["deephash --set vars.backb", ["vars.backbone="]],
    ["deephash --pipeline pipe", [FILES]],
    ["deephash init ~/pho", [FILES]],
    ["deephash why no-such", []],
    ["deephash --pipeline no-such.yaml --profile c", []],
  ])("of %s", (line, expected) => {
    const found = words(line);
    if (line.endsWith("evalu")) expect(found).toEqual(expect.arrayContaining(expected));
    else expect(found).toEqual(expected);
  });
  test("offers commands first, and the instances of a stage after [", () => {
    expect(words("deephash ")).toEqual(expect.arrayContaining(["run", "check", "search", "help"]));
    expect(words("deephash ")).not.toContain("complete");
    const instances = words("deephash why train-race[");
    expect(instances.length).toBeGreaterThan(1);
    for (const id of instances) expect(id).toMatch(/^train-race\[.*\]$/);
  });
});
