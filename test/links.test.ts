/** Every file and function that the documents name exists. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync("docs").map((file) => `docs/${file}`),
].filter((file) => file.endsWith(".md"));

/** The folders whose files a document may name by their path from the project. */
const FOLDERS = "bench|bin|docs|examples|init|library|runner|schemas|search|stages|templates|test";
const PATH = new RegExp(`^(${FOLDERS})/[\\w./{},-]*$`);

/** A name that stands for one of the reader's: NAME, my-loss. */
const PLACEHOLDER = /[A-Z]{4,}|ARTIFACT|\bmy-/;

/** The outputs of `npm run build` and `npm run api`. */
const BUILT = /^docs\/api\//;

/** The names that a file declares: functions, classes, types and constants, and `Class.member`. */
function declaredIn(file: string): Set<string> {
  const found = new Set<string>();
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations) found.add(name.getText(source));
    const { name, members = [] } = statement as ts.Statement & {
      name?: ts.Node;
      members?: ts.NodeArray<ts.ClassElement>;
    };
    if (!name) continue;
    found.add(name.getText(source));
    for (const member of members)
      if (member.name) found.add(`${name.getText(source)}.${member.name.getText(source)}`);
  }
  return found;
}

/** The faults of a document's links and paths, one line each. */
function faultsOf(text: string, folder: string): string[] {
  const links = [...text.matchAll(/\[([^\]]*)\]\(([^)#\s]+)[^)]*\)/g)].flatMap(([, shown, target]) => {
    if (/^https?:/.test(target)) return [];
    const file = join(folder, target);
    if (!existsSync(file)) return [`${file} does not exist`];
    const name = /^`([\w.]+)`$/.exec(shown)?.[1];
    if (name === undefined || !file.endsWith(".ts") || declaredIn(file).has(name)) return [];
    return [`${file} does not declare ${name}`];
  });
  const paths = [...text.matchAll(/(?<!\[)`([^`\n]+)`/g)].flatMap(([, path]) => {
    if (!PATH.test(path) || PLACEHOLDER.test(path) || BUILT.test(path)) return [];
    const alternatives = /^(.*)\{(.*)\}(.*)$/.exec(path);
    const all = alternatives?.[2].split(",").map((one) => alternatives[1] + one + alternatives[3]) ?? [path];
    return all.filter((one) => !existsSync(one)).map((one) => `${one} does not exist`);
  });
  return [...links, ...paths];
}

/** The files of CONTRIBUTING.md's tree that do not exist: each is named below, or beside, its folder. */
function missingInTree(tree: string): string[] {
  const open: { indent: number; path: string }[] = [];
  const missing: string[] = [];
  for (const line of tree.split("\n")) {
    const [, space, entries, said] = /^( *)((?:[\w.-]+\/? )*[\w.-]+\/?)(?: {2,}(.*))?$/.exec(line) ?? [];
    const indent = space?.length ?? Number.POSITIVE_INFINITY;
    const isEntry = entries !== undefined && indent < 16;
    if (isEntry) while (open.length && open.at(-1)!.indent >= indent) open.pop();
    const parent = open.at(-1)?.path ?? "";
    if (isEntry) {
      const all = entries.split(" ").map((entry) => join(parent, entry));
      missing.push(...all.filter((path) => !existsSync(path) && path !== "cache/"));
      if (all.length === 1 && all[0].endsWith("/")) open.push({ indent, path: all[0] });
    }
    const folder = open.at(-1)?.path ?? "";
    for (const [, file] of (isEntry ? (said ?? "") : line).matchAll(/(?<![\w/])([\w-]+\.m?[jt]s)\b/g))
      if (!existsSync(join(folder, file)) && file !== "index.ts" && file !== "stage.ts")
        missing.push(join(folder, file));
  }
  return missing;
}

test("CONTRIBUTING.md's tree names files that exist", () => {
  const tree = /## The tree\n\n((?: {4}.*\n)+)/.exec(readFileSync("CONTRIBUTING.md", "utf8"))![1];
  expect(missingInTree(tree)).toEqual([]);
  const wrong = tree.replace("bundle.ts", "bundel.ts").replace("    slurm/", "    slum/");
  expect(missingInTree(wrong)).toEqual(expect.arrayContaining(["runner/code/bundel.ts", "runner/run/slum/"]));
});

describe.each(DOCUMENTS)("%s", (file) => {
  test("names files and functions that exist", () => {
    expect(faultsOf(readFileSync(file, "utf8"), dirname(file))).toEqual([]);
  });
});

test("docs/architecture.md links each function to its file", () => {
  const text = readFileSync("docs/architecture.md", "utf8");
  expect([...text.matchAll(/\[`[\w.]+`\]\(\.\.\/runner\//g)].length).toBeGreaterThan(40);
  // A name of more than one word is a function's or a type's: linked once at least, wherever else it occurs.
  const linked = new Set([...text.matchAll(/\[`([\w.]+)`\]/g)].map(([, name]) => name));
  const named = [...text.matchAll(/`([a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*)`/g)].map(([, name]) => name);
  expect(named.filter((name) => !linked.has(name))).toEqual([]);
});

test("docs/architecture.md lists every folder of runner/", () => {
  const rows = readFileSync("docs/architecture.md", "utf8")
    .split("\n")
    .filter((line) => /^\| `[a-z]+\//.test(line));
  const listed = rows.flatMap((row) => [...row.split("|")[1].matchAll(/`(.+?)\/`/g)].map(([, name]) => name));
  const files = readdirSync("runner", { recursive: true }).map(String);
  const folders = new Set(files.filter((file) => /\/.*\.ts$/.test(file)).map((file) => dirname(file)));
  expect(listed.sort()).toEqual([...folders].sort());
});

test("a wrong file and a wrong function are found", () => {
  const right = "[`main`](../runner/main.mjs), `runner/stage.ts`, `stages/train/{losses,selectors}/`";
  expect(faultsOf(right, "docs")).toEqual([]);
  expect(faultsOf("[`defineStages`](../runner/stage.ts)", "docs")).toEqual([
    "runner/stage.ts does not declare defineStages",
  ]);
  expect(faultsOf("[text](nowhere.md), `runner/stages.ts`, `stages/train/{losses,minors}/`", "docs")).toEqual(
    [
      "docs/nowhere.md does not exist",
      "runner/stages.ts does not exist",
      "stages/train/minors/ does not exist",
    ],
  );
});
