import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { load } from "../../../runner/study/load.ts";
import { Source } from "../../../runner/study/source.ts";
import type { StudySpec } from "../../../runner/study/study-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-load-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, "pipeline.yaml");
  writeFileSync(path, text);
  return path;
}
/** Reads the file, and its first study. */
function read(text: string): StudySpec {
  const pipeline = load(file(text), process.cwd());
  return pipeline.study(pipeline.profiles[0]);
}

const GOOD = `profile: small
vars:
  start: 1
profiles:
  small:
    vars: { factors: [2, 3] }
stages:
  numbers:
    uses: numbers
    with: { start: "\${start}" }
  scale:
    uses: scale
    matrix: { by: "\${factors}" }
    inputs: { values: numbers.values }
`;

test("a good file is read as it is", () => {
  expect(load(file(GOOD), process.cwd()).profile).toBe("small");
  const study = read(GOOD);
  expect(study.vars).toEqual({ start: 1, factors: [2, 3] });
  expect(Object.keys(study.stages)).toEqual(["numbers", "scale"]);
});

test("the project's own pipeline.yaml is good", () => {
  expect(load("pipeline.yaml", process.cwd()).profiles).toContain("sample");
});

describe("a typo is told with its place and the nearest right word", () => {
  test.each([
    // [the right text, the wrong text, the line]
    ["profile: small", "profil: small", '1:1 profil: unknown key. Did you mean "profile"?'],
    ["profile: small", "profile: smal", '1:1 profile: no profile "smal". Did you mean "small"?'],
    ["vars:\n  start", "vras:\n  start", '2:1 vras: unknown key. Did you mean "vars"?'],
    ["profile: small", '" ": small', '1:1 " ": unknown key. Known are profile, profiles,'],
    ["profiles:", "profils:", '4:1 profils: unknown key. Did you mean "profiles"?'],
    ["    vars: {", "    var: {", '6:5 profiles.small.var: unknown key. Did you mean "vars"?'],
    ["stages:", "stags:", '7:1 stags: unknown key. Did you mean "stages"?'],
    ["    uses: scale", "    usse: scale", '12:5 scale.usse: unknown key. Did you mean "uses"?'],
    ["matrix:", "matrx:", '13:5 scale.matrx: unknown key. Did you mean "matrix"?'],
    ["inputs:", "input:", '14:5 scale.input: unknown key. Did you mean "inputs"?'],
    ["    with:", "    wiht:", '10:5 numbers.wiht: unknown key. Did you mean "with"?'],
    ["with: {", "timeout: 0\n    with: {", "10:5 numbers.timeout: must be > 0, not 0."],
    ["with: {", "retries: often\n    with: {", '10:5 numbers.retries: must be of type integer, not "often".'],
    ["with: {", "retries: -1\n    with: {", "10:5 numbers.retries: must be >= 0, not -1."],
    ["with: {", "cpus: al\n    with: {", '10:5 numbers.cpus: must be "all", not "al". Did you mean "all"?'],
    ["matrix: {", "matrix: { include: 3, ", "13:15 scale.matrix.include: must be of type array, not 3."],
    ["inputs: { values: numbers.values", "inputs: { values: 3", "14:15 scale.inputs.values: must be of type"],
    [
      "small:\n",
      "sm all:\n",
      '5:3 profiles.sm all: must be made of letters, digits, - and _, the first a letter or a digit, not "sm all".',
    ],
    [
      "  numbers:\n",
      "  num.bers:\n",
      '8:3 num.bers: must be made of letters, digits, - and _, the first a letter or a digit, not "num.bers".',
    ],
    ["start: 1", "strat: 1", '3:3 vars.strat: nothing takes $strat. Did you mean "start"?'],
    ["factors: [2", "factor: [2", '6:13 vars.factor: nothing takes $factor. Did you mean "factors"?'],
  ])("%j → %j", (before, after, line) => {
    expect(GOOD).toContain(before);
    expect(() => read(GOOD.replace(before, after))).toThrow(`pipeline.yaml:${line}`);
  });
});

test.each([
  ["check: exactly", '6:5 profiles.small.check: must be "exact", not "exactly". Did you mean "exact"?'],
  ["check: { tolerence: 1 }", '6:14 profiles.small.check.tolerence: unknown key. Did you mean "tolerance"?'],
  ["check: { tolerance: 0 }", "6:14 profiles.small.check.tolerance: must be > 0, not 0."],
])("a profile's %s", (check, line) => {
  expect(() => read(GOOD.replace("    vars: {", `    ${check}\n    vars: {`))).toThrow(
    `pipeline.yaml:${line}`,
  );
});

test.each([
  ["an empty file", "", "1:1: must be of type object, not null."],
  ["no stages", "profiles: { a: {} }\n", '1:1: "stages" is missing.'],
  ["no profile", "profiles: {}\nstages: {}\n", "1:1 profiles: "],
  [
    "a key that is there twice",
    "profiles: { a: {} }\nstages: {}\nstages: {}\n",
    "3:1 Map keys must be unique",
  ],
  [
    "a second document",
    "profiles: { a: {} }\n---\nstages: {}\n",
    "2:1 a second document begins here (---). Write one.",
  ],
  ["a bracket left open", "profiles: { a: {} }\nstages: [1, 2\n", "3:1 Flow sequence in block collection"],
  ["a tab in the indent", "profiles:\n\ta: {}\n", "2:1 Tabs are not allowed as indentation"],
])("%s", (_, text, line) => {
  expect(() => read(text)).toThrow(`pipeline.yaml:${line}`);
});

test("a missing file is told with the next step", () => {
  expect(() => load(join(folder, "none.yaml"), process.cwd())).toThrow(
    /none\.yaml: no such file\. Run this in the project's folder, or name it with --pipeline\.$/,
  );
});

test("every fault is the user's", () => {
  for (const text of ["", "a: [", "profiles: {a: {}}\nstages: {b: 3}\n"])
    try {
      read(text);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).name).toBe("UserError");
      expect((error as Error).message).not.toContain("\n");
    }
});

test("a source locates the deepest key that is there", () => {
  const source = new Source(file("a:\n  b:\n    - c: 1\n    - d: 2\n"));
  expect(source.locate(["a", "b", 1, "d"])).toBe("pipeline.yaml:4:7");
  expect(source.locate(["a", "b", 1, "x"])).toBe("pipeline.yaml:4:7");
  expect(source.locate(["a", "b", 7])).toBe("pipeline.yaml:2:3");
  expect(source.locate(["x"])).toBe("pipeline.yaml:1:1");
  expect(source.missing(["a", "b", 7])).toBe(1);
  expect(source.missing(["a", "b", 0])).toBe(0);
});

test("a source locates what an alias or a merge key brings in", () => {
  const source = new Source(file("a: &a\n  x: 1\n  y: { z: 2 }\nb:\n  <<: *a\n  x: 3\nc: *a\nd: [*a]\n"));
  expect(source.value).toMatchObject({ b: { x: 3, y: { z: 2 } } });
  expect(source.locate(["b", "x"])).toBe("pipeline.yaml:6:3");
  expect(source.locate(["b", "y", "z"])).toBe("pipeline.yaml:3:8");
  expect(source.locate(["c", "y"])).toBe("pipeline.yaml:3:3");
  expect(source.locate(["d", 0, "y"])).toBe("pipeline.yaml:3:3");
});

describe("values that no key could cover are refused", () => {
  const value = (text: string) => read(GOOD.replace('start: "${start}"', `start: "\${start}", x: ${text}`));
  test.each([
    [".inf", "Infinity is no number that JSON can hold. Write a finite number, or leave it out."],
    ["-.inf", "-Infinity is no number"],
    [".nan", "NaN is no number"],
    [
      "9007199254740993",
      "9007199254740993 would be rounded: whole numbers are exact up to 9007199254740991. Write it as a text, in quotes.",
    ],
    ["-9007199254740993", "-9007199254740993 would be rounded"],
    ["0x20000000000001", "9007199254740993 would be rounded"],
    ["!!timestamp 2001-12-14", "is no text, number, list or map. Write it as a text, in quotes."],
    ["!!binary aGk=", "is no text, number, list or map."],
    ["!!set { a, b }", "is no text, number, list or map."],
  ])("%s", (text, message) => {
    expect(() => value(text)).toThrow(message);
    expect(() => value(text)).toThrow(/^pipeline\.yaml:10:32 numbers\.with\.x: /);
  });
  test("the largest ones that are exact, and those written as doubles, are taken", () => {
    expect(value("[9007199254740991, -9007199254740991, 1e20, 0x10]").stages.numbers.with?.x).toEqual([
      9007199254740991, -9007199254740991, 1e20, 16,
    ]);
    expect(value("[-0, -0.0]").stages.numbers.with?.x).toEqual([0, 0]); // as JSON has them
  });
  test.each(["__proto__", "constructor", "toString"])("the key %s", (key) => {
    expect(() => value(`{ ${key}: 1 }`)).toThrow(
      `numbers.with.x.${key}: "${key}" cannot be a name here: JavaScript reserves it.`,
    );
    expect(() => read(GOOD.replace("numbers:", `${key}:`))).toThrow(`"${key}" cannot be a name here`);
  });
  test("a tag that nobody knows", () => {
    expect(() => value("!secret x")).toThrow("pipeline.yaml:10:35 Unresolved tag: !secret");
  });
});

test("a file that is no text, or no file, is told", () => {
  const path = join(folder, "latin1.yaml");
  writeFileSync(path, Buffer.from("profile: caf\xe9\n", "latin1"));
  expect(() => load(path, process.cwd())).toThrow(`${path}: cannot be read: it is not UTF-8.`);
  expect(() => load(folder, process.cwd())).toThrow(/: cannot be read: EISDIR/);
});
