/** `new`: what it writes and says; and, in a copy of the project, that each skeleton compiles and passes its test. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { kinds, scaffold } from "../../../../runner/cli/commands/scaffold.ts";
import { UserError } from "../../../../runner/stage.ts";
import { copyProject } from "../../../project-copy.ts";
import { scratch } from "../../../stages/shared/scratch.ts";

const KINDS = kinds(resolve("."));
const copy = copyProject();
const at = (...names: string[]) => join(copy, ...names);

test("there is a template for every kind of part, and for a stage", () => {
  expect(KINDS).toEqual([
    "augmentation",
    "backbone",
    "binariser",
    "dataset",
    "loss",
    "network",
    "protocol",
    "sampler",
    "selector",
    "stage",
  ]);
});

test.each(KINDS)("the next steps of a new %s name files and rows that exist", (kind) => {
  const next = readFileSync(`templates/${kind}.txt`, "utf8").split("=== next\n")[1];
  for (const [file] of next.matchAll(/(?:docs\/)?[\w-]+\.(?:md|yaml)\b/g))
    expect(existsSync(file), file).toBe(true);
  for (const [, file, row] of next.matchAll(/Name it in (\S+), in the row of the ([\w ]+?)(?:,| \()/g))
    expect(readFileSync(file, "utf8")).toContain(`\n| ${row} |`);
  if (kind !== "stage") expect(next).toContain("docs/parts.md, in the row of");
});

describe("a template", () => {
  const root = scratch();
  const template = (text: string) => {
    mkdirSync(join(root, "templates"), { recursive: true });
    writeFileSync(join(root, "templates", "hat.txt"), text);
  };
  test("becomes files and a word on what to do next, or one line on why not", () => {
    template(
      "=== hats/__NAME__.txt\na hat, __NAME__\n=== test/__NAME__.txt\nits test\n=== next\nwear: __NAME__\n",
    );
    expect(scaffold(root, "hat", "top-hat")).toEqual({
      files: ["hats/top-hat.txt", "test/top-hat.txt"],
      next: "wear: top-hat\n",
    });
    expect(readFileSync(join(root, "hats/top-hat.txt"), "utf8")).toBe("a hat, top-hat\n");
    const faults: [string, string, RegExp][] = [
      ["hat", "top-hat", /hats\/top-hat\.txt exists already\. Choose another name/],
      ["hut", "x", /no such kind of part\. Did you mean "hat"\?/],
      ["trousers", "x", /no such kind of part\. There are hat\./],
      ["hat", "../x", /a name has letters and digits/],
      ["hat", "", /a name has letters and digits/],
    ];
    for (const [kind, name, message] of faults) {
      expect(() => scaffold(root, kind, name)).toThrow(UserError);
      expect(() => scaffold(root, kind, name)).toThrow(message);
    }
  });

  test("writes nothing at all where one of its files is there", () => {
    template("=== hats/__NAME__.txt\na hat\n=== test/__NAME__.txt\nits test\n");
    writeFileSync(join(root, "test/cap.txt"), "mine");
    expect(() => scaffold(root, "hat", "cap")).toThrow(/test\/cap\.txt exists already/);
    expect(existsSync(join(root, "hats/cap.txt"))).toBe(false);
    expect(readFileSync(join(root, "test/cap.txt"), "utf8")).toBe("mine");
  });
});

describe("the skeletons", () => {
  const written: string[] = [];
  beforeAll(() => {
    for (const kind of KINDS) written.push(...scaffold(copy, kind, `my-${kind}`).files);
  });

  test("pass their own tests", () => {
    const tests = written.filter((file) => file.endsWith(".test.ts"));
    expect(tests).toHaveLength(KINDS.length);
    const vitest = at("node_modules/vitest/vitest.mjs");
    const options = ["run", "--maxWorkers=1", "--no-isolate", "--reporter=json", ...tests];
    const { stdout, stderr } = spawnSync(process.execPath, [vitest, ...options], {
      cwd: copy,
      encoding: "utf8",
      env: { ...process.env, VITEST: undefined, VITEST_POOL_ID: undefined, VITEST_WORKER_ID: undefined },
    });
    const found = JSON.parse(stdout.slice(stdout.indexOf("{")));
    expect({ ...found, testResults: undefined }, stdout + stderr).toMatchObject({
      success: true,
      numFailedTests: 0,
      numTotalTestSuites: expect.any(Number),
    });
    expect(found.testResults).toHaveLength(KINDS.length);
  }, 300_000);

  test("compile, and are in the form that the linter wants", () => {
    const typed = written.filter((file) => file.endsWith(".ts"));
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(at("tsconfig.json"), ts.sys.readFile).config,
      ts.sys,
      copy,
    );
    const program = ts.createProgram(
      typed.map((file) => at(file)),
      options,
    );
    const faults = typed
      .map((file) => program.getSourceFile(at(file))!)
      .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]);
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    const biome = at("node_modules/@biomejs/biome/bin/biome");
    const { status, stdout, stderr } = spawnSync(process.execPath, [biome, "check", ...written], {
      cwd: copy,
      encoding: "utf8",
    });
    expect(status, stdout + stderr).toBe(0);
  }, 300_000);
});
