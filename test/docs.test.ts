/** Every command that the documents name is one: its words are read as the command line reads them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { SHELLS } from "../runner/cli/commands/completion.ts";
import { kinds } from "../runner/cli/commands/scaffold.ts";
import { SEARCHING } from "../runner/cli/commands/searching.ts";
import { commandFirst, programOf } from "../runner/cli/program.ts";
import { findNumber } from "../runner/inspect/address.ts";
import { named } from "../runner/plan/named.ts";
import { expand } from "../runner/study/expand.ts";
import { load } from "../runner/study/load.ts";
import { main as searchMain } from "../search/cli.ts";
import { type Measured, spreadOf } from "../stages/report/numbers/alone.ts";

const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync("docs").map((file) => `docs/${file}`),
].filter((file) => file.endsWith(".md"));
const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
const pipeline = load("pipeline.yaml", ".");

/** The texts in backticks, and the lines of indented and of fenced blocks that begin with a command's word. */
function commandsOf(text: string): string[] {
  const inline = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]);
  const lines = text.split("\n").flatMap((line) => /^ {4,}(\S.*)$/.exec(line)?.[1] ?? []);
  const fenced = [...text.matchAll(/^```\w*\n(.*?)^```/gms)].flatMap((match) => match[1].split("\n"));
  return [...inline, ...lines, ...fenced]
    .map((line) =>
      line
        .replace(/\s+#.*/, "")
        .replace(/ >>? \S+$/, "")
        .trim(),
    )
    .filter(
      (line) => /^([A-Z_]+=\S+ )?(npm|npx|node|deephash) \S/.test(line) && !line.startsWith("npm run X"),
    );
}

/** The words of a command; quotes hold words together. */
const wordsOf = (command: string) =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare,
  );

/** A word in capitals stands for something of the reader's. */
const isPlaceholder = (word: string) => /^[A-Z][A-Z-]*$/.test(word);

/** Parses a line of `npm run pipeline --` and checks the names in it against pipeline.yaml. */
async function checkPipeline(words: string[]): Promise<void> {
  const program = programOf(async () => {});
  let called: { name: string; args: string[]; options: Record<string, unknown> } | undefined;
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    command.action(() => {
      called = { name: command.name(), args: command.args, options: command.opts() };
    });
  }
  if (words[0] === "pipeline") words = words.slice(1);
  if (SEARCHING.includes(words[0])) return checkSearch(words[0], words.slice(1));
  if (words[0] === "help") expect(program.commands.map((command) => command.name())).toContain(words[1]);
  if (words.includes("--help") || words[0] === "help" || words[0] === "--version") return;
  await program.parseAsync(commandFirst(words, program), { from: "user" });
  const { name, args, options } = called!;
  if (name === "run") expect(args).toEqual([]);
  if (name === "new") expect([...kinds("."), "KIND"]).toContain(args[0]);
  if (name === "completion") expect([...SHELLS, "SHELL"]).toContain(args[0]);
  if (["new", "init", "key", "completion"].includes(name) || options.pipeline !== "pipeline.yaml") return;
  const profile = options.profile as string | undefined;
  if (profile !== undefined && isPlaceholder(profile)) return;
  const { instances } = expand(pipeline, profile, (options.set ?? []) as never);
  const stages = [options.only, options.from, options.rerun, name === "why" ? args : []].flat();
  for (const stage of stages as (string | undefined)[])
    if (stage !== undefined && !isPlaceholder(stage)) named(stage, instances, `${stage}: no such stage.`);
}

/** The searching commands say in their help which options they take. */
async function checkSearch(command: string, words: string[]): Promise<void> {
  let help = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    help += text;
    return true;
  });
  const isPart = command === "index" && ["update", "add", "remove"].includes(words[0]);
  expect(await searchMain([command, ...(isPart ? [words[0]] : []), "--help"], ".", ".")).toBe(0);
  spy.mockRestore();
  for (const word of words) if (word.startsWith("--")) expect(help).toContain(` ${word} `);
}

async function check(command: string): Promise<void> {
  const [tool, first, ...rest] = wordsOf(command.replace(/^[A-Z_]+=\S+ /, ""));
  if (tool === "deephash") await checkPipeline([first, ...rest]);
  else if (tool === "npx" && first === "deephash") await checkPipeline(rest);
  else if (tool === "npm" && first === "rebuild") {
    for (const name of rest) expect(existsSync(`node_modules/${name}`), name).toBe(true);
  } else if (tool === "npm" && first === "run") {
    const [script, dashes, ...words] = rest;
    if (isPlaceholder(script)) return;
    expect(Object.keys(scripts)).toContain(script);
    expect(dashes ?? "--").toBe("--");
    if (script === "pipeline") await checkPipeline(words);
    else if (["search", "index"].includes(script)) await checkSearch(script, words);
  } else if (tool === "npm") expect(["ci", "test", "install", "link", "pack"]).toContain(first);
  else if (tool === "node") {
    expect(existsSync(first), first).toBe(true);
    if (first === "bench/run.mjs" && !isPlaceholder(rest[0]))
      expect(existsSync(`bench/${rest[0]}.ts`)).toBe(true);
  } else
    for (const word of rest.filter((word) => word.includes("/"))) expect(existsSync(word), word).toBe(true);
}

describe.each(DOCUMENTS)("%s", (file) => {
  const commands = [...new Set(commandsOf(readFileSync(file, "utf8")))];
  test("names commands that are there", async () => {
    for (const command of commands)
      await check(command).catch((error: Error) => {
        throw new Error(`${file}: \`${command}\`: ${error.message}`);
      });
  });
});

test("a wrong command is found", async () => {
  expect(commandsOf("A `npm run pipline` and\n\n    npm run pipeline -- status   # why\n")).toEqual([
    "npm run pipline",
    "npm run pipeline -- status",
  ]);
  const wrong = [
    "npm run pipline",
    "npm run pipeline status",
    "npm run pipeline -- statsu",
    "npm run pipeline -- --profil cifar10",
    "npm run pipeline -- --profile cifar11",
    "npm run pipeline -- --only trian",
    "npm run pipeline -- --set train.step",
    "npm run pipeline -- --set trian.steps=3",
    "npm run pipeline -- new los my-loss",
    "npm run search -- one.jpg --tops 3",
    "npx deephash index update --backbone resnet18",
    "npx deephash statsu",
    "npx deephash help statsu",
    "deephash search one.jpg --tops 3",
    "deephash completion tcsh",
    "npm rebuild no-such-package",
    "node bench/run.mjs nothing",
    "node examples/nothing.mjs",
  ];
  for (const command of wrong) await expect(check(command), command).rejects.toThrow();
  const commands = DOCUMENTS.flatMap((file) => commandsOf(readFileSync(file, "utf8")));
  expect(commands.length).toBeGreaterThan(30);
});

/** A number that a document takes from a report, and its address there: `0.87<!-- REPORT#ADDRESS -->`. */
const QUOTED = /(-?[\d.]+)<!-- ([\w-]+)#(\S+) -->/g;

/** The numbers of the reports that were read. */
const read = new Map<string, unknown>();
function numbersOf(report: string): unknown {
  const numbers = read.get(report) ?? JSON.parse(readFileSync(`${report}/metrics.json`, "utf8"));
  read.set(report, numbers);
  return numbers;
}

/** The statements of a document that differ from the report, in words. */
function misquoted(text: string): string[] {
  return [...text.matchAll(QUOTED)].flatMap(([, shown, report, address]) => {
    const file = `reports/${report}`;
    const { value } = findNumber(numbersOf(file), address, file);
    const decimals = /\.(\d+)$/.exec(shown)?.[1].length ?? 0;
    const expected = (value as number).toFixed(decimals);
    return shown === expected ? [] : [`${shown} is ${expected}: ${report}#${address}`];
  });
}

/** A sentence on time, as `<!-- seconds REPORT LOSS -->…<!-- end -->`: the report's seconds of the loss with each selector. */
const TIMED = /<!-- seconds ([\w-]+) ([\w-]+) -->([\s\S]*?)<!-- end -->/g;

/** The statements of a document on seconds that differ from the report's timings. */
function mistimed(text: string): string[] {
  return [...text.matchAll(TIMED)].flatMap(([, report, loss, said]) => {
    const timings = JSON.parse(readFileSync(`reports/${report}/timings.json`, "utf8"));
    const own = Object.entries(timings).filter(([label]) => /^([\w-]+) · [\w-]+$/.exec(label)?.[1] === loss);
    const expected = spreadOf(Object.fromEntries(own) as Record<string, Measured[]>);
    return said.replaceAll(/\s+/g, " ") === expected ? [] : [`write: ${expected}`];
  });
}

test("the study says of time what the timings say", () => {
  const text = readFileSync("docs/study.md", "utf8");
  expect(mistimed(text)).toEqual([]);
  expect([...text.matchAll(TIMED)]).toHaveLength(1);
  expect(mistimed(text.replace(/(?<=Steps took from )[\d.]+/, "0.1"))).toHaveLength(1);
  expect(mistimed(text.replace(/ (?:Each was|Other work|They were) .*?(?=<!-- end)/s, ""))).toHaveLength(1);
});

test("trainings whose seconds are compared have the whole run to themselves", () => {
  const { instances } = expand(pipeline, "cifar10");
  const timed = instances.filter(({ stage }) => ["train-race", "train-long", "train-codes"].includes(stage));
  expect(timed.length).toBeGreaterThan(20);
  for (const { id, cpus } of timed) expect([id, cpus]).toEqual([id, "all"]);
});

test.each([
  ["docs/study.md", 30],
  ["README.md", 8],
])("%s quotes the reports", (file, least) => {
  const text = readFileSync(file, "utf8");
  expect(misquoted(text)).toEqual([]);
  expect([...text.matchAll(QUOTED)].length).toBeGreaterThan(least);
});

test("a wrong number is found", () => {
  const address = "cifar10-mobilenetv2#official.queries";
  expect(misquoted(`10000<!-- ${address} -->`)).toEqual([]);
  expect(misquoted(`9999<!-- ${address} -->`)).toEqual([`9999 is 10000: ${address}`]);
  expect(() => misquoted("1<!-- cifar10-mobilenetv2#nothing -->")).toThrow(/no such number/);
});
