/** The import rules of CONTRIBUTING.md. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** The project's files that each file imports, be it for types alone or when it runs. */
const imports = new Map<string, string[]>();
for (const folder of ["runner", "stages", "library", "search", "init"])
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const file = relative(".", join(entry.parentPath, entry.name));
    const { importedFiles } = ts.preProcessFile(readFileSync(file, "utf8"));
    imports.set(
      file,
      importedFiles
        .map(({ fileName }) => fileName.replace(/\?browser$/, ""))
        .filter((name) => name.startsWith("."))
        .map((name) => join(dirname(file), name)),
    );
  }

/** All files that a file imports, and those they import, in turn. */
function reach(file: string, found = new Set<string>()): Set<string> {
  for (const next of imports.get(file) ?? [])
    if (!found.has(next)) {
      found.add(next);
      reach(next, found);
    }
  return found;
}

/** The contract of stages and runner. */
const CONTRACT = "runner/stage.ts";
const below = (folder: string) => [...imports].filter(([file]) => file.startsWith(folder));

test("every import names a file that is there, with its ending", () => {
  expect(imports.get("runner/cli/run.ts")).toContain("runner/run/index.ts"); // one that is imported when needed
  expect(imports.get("runner/plan/plan.ts")).toContain("runner/plan/task.ts"); // one of types alone
  for (const [file, found] of imports)
    for (const one of found)
      expect(imports.has(one) || (one.endsWith(".json") && existsSync(one)), `${file} imports ${one}`).toBe(
        true,
      );
});

describe("a stage", () => {
  test("imports runner/stage.ts, stages/shared/ and its own folder", () => {
    for (const [file, found] of below("stages/")) {
      const own = `${file.split("/").slice(0, 2).join("/")}/`;
      for (const one of found)
        expect(
          one === CONTRACT || one.startsWith("stages/shared/") || one.startsWith(own),
          `${file} may not import ${one}`,
        ).toBe(true);
    }
  });

  test("draws its random numbers from stages/shared/compute/random.ts alone", () => {
    for (const [file] of below("stages/")) {
      const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
      const visit = (node: ts.Node): void => {
        if (ts.isPropertyAccessExpression(node)) expect(node.getText(source), file).not.toBe("Math.random");
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
  });
});

/** The rooms of runner/, the lowest first: a room imports only rooms above it in this list, through their doors. */
const ROOMS = [
  "text",
  "arguments",
  "git",
  "files",
  "code",
  "study",
  "store",
  "plan",
  "publish",
  "remote",
  "run",
  "run/local",
  "run/slurm",
  "inspect",
  "cli/commands",
  "cli",
];
const roomOf = (file: string) =>
  ROOMS.filter((room) => file.startsWith(`runner/${room}/`)).sort((a, b) => b.length - a.length)[0];
const doorOf = (room: string) => `runner/${room}/index.ts`;

describe("the runner", () => {
  test("imports nothing but itself: it loads stages by name", () => {
    for (const [file, found] of below("runner/"))
      for (const one of found) expect(one.startsWith("runner/"), `${file} may not import ${one}`).toBe(true);
  });

  test("has every file in a room, but for the contract with stages, which imports nothing", () => {
    for (const [file] of below("runner/"))
      if (file !== CONTRACT) expect(roomOf(file), `${file} is in no room of this list`).toBeDefined();
    for (const room of ROOMS)
      expect(
        below(`runner/${room}/`).some(([file]) => roomOf(file) === room),
        `runner/${room}/ has no file`,
      ).toBe(true);
    expect(imports.get(CONTRACT)).toEqual([]);
  });

  test("imports other rooms through their doors, lower ones alone", () => {
    let crossings = 0;
    for (const [file, found] of below("runner/"))
      for (const one of found) {
        const [from, to] = [roomOf(file), roomOf(one)];
        if (one === CONTRACT || from === to) continue;
        crossings++;
        expect(one, `${file} goes past the door of runner/${to}/`).toBe(doorOf(to));
        expect(ROOMS.indexOf(to), `${file}: runner/${to}/ is not below runner/${from}/`).toBeLessThan(
          ROOMS.indexOf(from),
        );
      }
    expect(crossings).toBeGreaterThan(100);
  });

  test("has no circle", () => {
    for (const [file] of below("runner/"))
      expect(reach(file).has(file), `${file} reaches itself`).toBe(false);
  });

  test("is seen by the library and the search through the doors", () => {
    for (const folder of ["library", "search", "init"])
      for (const [file, found] of below(`${folder}/`))
        for (const one of found.filter((path) => path.startsWith("runner/")))
          expect(one === CONTRACT || one === doorOf(roomOf(one)), `${file} imports ${one}`).toBe(true);
  });
});

test.each(["stages/", "search/", "library/", "init/"])("%s has no circle", (folder) => {
  for (const [file] of below(folder)) expect(reach(file).has(file), `${file} reaches itself`).toBe(false);
});

test("one file loads onnxruntime-node: the one that turns its telemetry off", () => {
  const folders = ["bench", "examples", "init", "library", "runner", "search", "stages", "templates", "test"];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.([cm]?[jt]s|txt)$/.test(entry.name))
      .map((entry) => relative(".", join(entry.parentPath, entry.name))),
  );
  const named = files.filter((file) =>
    /["'`]onnxruntime-node(\/[^"'`]*)?["'`]/.test(readFileSync(file, "utf8")),
  );
  expect(named.sort()).toEqual([
    "stages/shared/compute/onnxruntime.ts",
    "test/stages/extract/fake-driver.cjs", // preloaded into a process that was told
  ]);
});

test("only these files read the environment of the process, and none hands anything down through it", () => {
  const isEnvironment = (node: ts.Node): node is ts.PropertyAccessExpression =>
    ts.isPropertyAccessExpression(node) &&
    node.name.text === "env" &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === "process";
  const [readers, writers] = [new Set<string>(), new Set<string>()];
  for (const [file] of imports) {
    const text = readFileSync(file, "utf8");
    if (!text.includes("process.env")) continue;
    const visit = (node: ts.Node): void => {
      if (isEnvironment(node)) readers.add(file);
      const { parent } = node;
      const isTarget =
        isEnvironment(node) &&
        (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) &&
        ((ts.isBinaryExpression(parent.parent) &&
          parent.parent.left === parent &&
          parent.parent.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
          parent.parent.operatorToken.kind <= ts.SyntaxKind.LastAssignment) ||
          ts.isDeleteExpression(parent.parent));
      if (isTarget) writers.add(file);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  }
  const settings = [
    "runner/remote/s3.ts", // its library takes a setting from the environment alone
    "runner/run/local/certificates.ts", // gives a variable its name that Node must not see at its own start
    "runner/run/local/child.ts", // the trace of a further stage, for the threads that it starts
    "stages/shared/compute/onnxruntime.ts", // as s3.ts
  ];
  expect([...writers].sort()).toEqual(settings);
  expect([...readers].filter((file) => !file.startsWith("runner/")).sort()).toEqual([settings[3]]);
});
