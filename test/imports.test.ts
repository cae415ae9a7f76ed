/** Who may import whom: the rules of CONTRIBUTING.md. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** The project's files that each file imports, be it for types alone or when it runs. */
const imports = new Map<string, string[]>();
for (const folder of ["runner", "stages"])
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

const runner = (name: string) => `runner/${name}.ts`;
const below = (folder: string) => [...imports].filter(([file]) => file.startsWith(folder));

test("every import names a file that is there, with its ending", () => {
  expect(imports.get("runner/run-command.ts")).toContain("runner/execute.ts"); // one that is imported when needed
  expect(imports.get("runner/plan.ts")).toContain("runner/resolve.ts"); // one of types alone
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
          one === runner("stage") || one.startsWith("stages/shared/") || one.startsWith(own),
          `${file} may not import ${one}`,
        ).toBe(true);
    }
  });

  test("draws its random numbers from stages/shared/random.ts alone", () => {
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

describe("the runner", () => {
  test("imports nothing but itself: it loads stages by name", () => {
    for (const [file, found] of below("runner/"))
      for (const one of found) expect(one.startsWith("runner/"), `${file} may not import ${one}`).toBe(true);
  });

  test("has no circle", () => {
    for (const [file] of below("runner/"))
      expect(reach(file).has(file), `${file} reaches itself`).toBe(false);
  });

  test.each([
    ["cli", "execute", "plan", "fingerprint"],
    ["cli", "execute", "plan", "store"],
    ["cli", "execute", "executors/executor"],
    ["cli", "execute", "plan", "resolve", "expand", "load", "source", "stage"],
  ])("imports one way: %s → %s → %s …", (...names) => {
    for (const [index, name] of names.entries())
      for (const later of names.slice(index + 1)) {
        expect(reach(runner(name)).has(runner(later)), `${name} → ${later}`).toBe(true);
        expect(reach(runner(later)).has(runner(name)), `${later} → ${name}`).toBe(false);
      }
  });

  test("shows stages one file, which imports nothing", () => {
    expect(imports.get(runner("stage"))).toEqual([]);
  });
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
    "stages/shared/onnxruntime.ts",
    "test/stages/extract/fake-driver.cjs", // preloaded into a process that was told
  ]);
});
