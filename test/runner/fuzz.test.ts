/** Random pipeline files: each gives a study or one line with a place. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { type Document, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";
import { CodeBook } from "../../runner/code/bundle.ts";
import { refuseLeaks } from "../../runner/plan/leaks.ts";
import { resolve } from "../../runner/plan/tasks.ts";
import { expand } from "../../runner/study/expand.ts";
import { load } from "../../runner/study/load.ts";

const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "deephash-fuzz-"));
const file = join(folder, "pipeline.yaml");
cpSync("studies", join(folder, "studies"), { recursive: true });
afterAll(() => rmSync(folder, { recursive: true }));

/** More mutations: FUZZ=5000 npx vitest run test/runner/fuzz.test.ts */
const RUNS = Number(process.env.FUZZ ?? 40);
/** Far above what any of them takes; a hang is none of them. */
const MOST_MILLISECONDS = 30_000;

const VALID = readFileSync("pipeline.yaml", "utf8");
const book = new CodeBook(root);

/** Goes as far as a run goes before it runs. @returns the error message, "" where there is none */
async function open(text: string): Promise<string> {
  writeFileSync(file, text);
  const began = performance.now();
  try {
    const pipeline = load(file, root);
    for (const name of pipeline.profiles) {
      const study = expand(pipeline, name);
      // One of them stands for all: the stages' own declarations are compiled for each.
      if (name === pipeline.profile) refuseLeaks(await resolve(study, root, book), root);
    }
    return "";
  } catch (error) {
    const { name, message, stack } = error as Error;
    if (name !== "UserError") throw new Error(`no UserError but ${stack}\n---\n${text}`);
    if (
      !/^(pipeline|studies\/[\w/-]+)\.yaml:\d+:\d+:? \S/.test(message) ||
      /\n/.test(message) ||
      message.length > 2000
    )
      throw new Error(`not one line with a place: ${message}\n---\n${text}`);
    return message;
  } finally {
    expect(performance.now() - began).toBeLessThan(MOST_MILLISECONDS);
  }
}

const ODD_TEXTS = [
  "",
  " ",
  "\u0000",
  "a\nb",
  "\u2028x",
  "\ud800",
  "🦉".repeat(50),
  "‮evil",
  "__proto__",
  "constructor",
  "toString",
  "${",
  "${}",
  "${vars}",
  "${vars.}",
  "${seeds}",
  "${nobody}",
  "${__proto__}",
  "${loss}",
  "${constructor?}",
  "a ${seeds} b",
  "$seeds",
  "$seeds?",
  "$vars.seeds",
  "a $ b $$ c",
  "evaluate-*.metrics",
  "{a,b.metrics",
  "${profile",
  "${${seed}}",
  "./",
  "./..",
  "./../../etc/passwd",
  "/etc",
  "..",
  "train.model",
  "train[seed=1].model",
  "train[seed=].model",
  "train[=].model",
  "train[[].model",
  "x".repeat(5000),
  "of many words ".repeat(300),
];
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(
    ...ODD_TEXTS,
    null,
    true,
    0,
    -1,
    1e308,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    [],
    {},
    [[]],
    [null],
    [{}],
    { use: 1 },
    { use: null },
    { include: [null] },
    { include: [[]], exclude: [1] },
    { exclude: {} },
    { a: [], b: [] },
    { a: Array(400).fill("x"), b: Array(400).fill("y") },
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Changes one thing of the tree: the `at`-th of all maps' pairs and lists' items. */
function mutated(kind: string, at: number, value: unknown): string {
  const document = parseDocument(VALID, { merge: true }) as Document;
  const places: { parent: { items: unknown[] }; index: number }[] = [];
  visit(document, {
    Collection(_, node) {
      if (isMap(node) || isSeq(node))
        for (let index = 0; index < node.items.length; index++) places.push({ parent: node as never, index });
    },
  });
  const { parent, index } = places[at % places.length];
  const item = parent.items[index];
  switch (kind) {
    case "delete":
      parent.items.splice(index, 1);
      break;
    case "duplicate":
      parent.items.splice(index, 0, item);
      break;
    case "rename":
      if (isMap(parent)) (item as { key: unknown }).key = document.createNode(value);
      else parent.items[index] = document.createNode(value);
      break;
    case "wrap":
      if (isMap(parent)) {
        const pair = item as { value: unknown };
        pair.value = document.createNode([isScalar(pair.value) ? pair.value.value : "x"]);
      }
      break;
    default:
      if (isMap(parent)) (item as { value: unknown }).value = document.createNode(value);
      else parent.items[index] = document.createNode(value);
  }
  try {
    return document.toString();
  } catch {
    return VALID; // yaml itself won't write it
  }
}

test("the file as it is has no fault", async () => {
  expect(await open(VALID)).toBe("");
});

test.each([
  { a: Array(400).fill("x") },
  Array(900).fill("y"),
  "of many words ".repeat(300),
])("a key that is a list, a map or a long text is told in a short line", async (key) => {
  for (const at of [0, 3, 40]) expect((await open(mutated("rename", at, key))).length).toBeLessThan(500);
});

test.each([
  "x".repeat(5000),
  "of many words ".repeat(300),
  "🦉".repeat(800),
  "a: ".repeat(800),
  "\u0007".repeat(900),
  "{ a: 1, ".repeat(500),
])("a long text anywhere is told in a short line: %#", async (text) => {
  for (let at = 0; at < VALID.length; at += 307)
    for (const skipped of [0, 9]) {
      const message = await open(VALID.slice(0, at) + text + VALID.slice(at + skipped));
      expect(message.length, message).toBeLessThan(1300);
    }
});

test.each([
  "",
  ".",
  "studies",
  "studies/",
])("a folder in the place of a study's file is told: %j", async (name) => {
  const text = VALID.replace("studies/codes.yaml", JSON.stringify(name));
  expect(await open(text)).toMatch(/^pipeline\.yaml:\d+:\d+ profiles\.codes: ".*" is a folder\. Name a file/);
});

test("one thing deleted, doubled, renamed or of another kind", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("delete", "duplicate", "rename", "wrap", "retype", "retype", "retype"),
      fc.nat(),
      oddValue,
      async (kind, at, value) => {
        await open(mutated(kind, at, value));
      },
    ),
    { numRuns: RUNS },
  );
}, 600_000);

test("characters deleted, doubled or put in anywhere", async () => {
  const odd = fc.constantFrom(
    ...ODD_TEXTS,
    "\t",
    "\r\n",
    "&a ",
    "*a",
    "<<: *data",
    "<<: 3",
    "- ",
    ": ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    "!!binary ",
    "!x ",
    "|",
    "---\n",
    "...\n",
    "%YAML 9\n",
    "#",
    "'",
    '"',
    "@",
    "`",
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(VALID.length), fc.nat(60), odd, fc.boolean(), async (at, length, text, keep) => {
      await open(VALID.slice(0, at) + text + VALID.slice(keep ? at : at + length));
    }),
    { numRuns: RUNS },
  );
}, 600_000);

describe("what would take all time or memory", () => {
  const stages = (text: string) =>
    `profiles: { a: {} }\nvars: {}\nstages:\n  train:\n    uses: train\n${text}`;
  test.each<[string, string, RegExp]>([
    ["lists in lists without end", "[".repeat(20_000), /^pipeline\.yaml:\d+:\d+ /],
    [
      "maps in maps",
      stages(`    with: ${"{ a: ".repeat(60)}1${" }".repeat(60)}`),
      /^pipeline\.yaml:6:\d+ train\.with\.a\.a\.a: is nested more than 50 levels deep/,
    ],
    [
      "an anchor that holds itself",
      stages("    with: &w { a: *w }"),
      /^pipeline\.yaml:\d+:\d+ .*(holds itself|nested too deeply)/,
    ],
    ["a map that merges itself", stages("    with: &w { <<: *w }"), /^(pipeline\.yaml:\d+:\d+ .*)?$/],
    [
      "a thousand million laughs",
      `a: &a [x, x, x, x, x, x, x, x, x]\n${[..."bcdefghi"].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(", ")}]`).join("\n")}\n`,
      /^pipeline\.yaml:\d+:\d+ /,
    ],
    [
      "a matrix of 10^12 points",
      stages(
        `    matrix: { ${[..."abcd"].map((axis) => `${axis}: [${Array.from({ length: 1000 }, (_, i) => i).join(",")}]`).join(", ")} }`,
      ),
      /^pipeline\.yaml:6:5 train\.matrix: has 1000000000000 points, more than 100000\./,
    ],
  ])("%s", async (_, text, message) => {
    expect(await open(text)).toMatch(message);
  });
});

describe("what a published folder may be", () => {
  const publish = (folder: string) => open(VALID.replace("report: reports/${profile}", `report: ${folder}`));
  test.each([
    "/tmp/reports",
    "..",
    "../reports",
    "reports/../..",
    ".",
    "./",
    '""',
    "a/../../b",
  ])("not %s", async (folder) => {
    expect(await publish(folder)).toMatch(/^pipeline\.yaml:\d+:\d+ report\.publish: must be a /);
  });
  test.each(["./reports/x", "reports", "reports/..x"])("%s", async (folder) => {
    expect(await publish(folder)).not.toContain("publish");
  });
});
