/** Functions fit on a screen, and files in a head: see CONTRIBUTING.md. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const FUNCTION_LINES = 80;
const FILE_LINES = 350;

/** The files, and the functions, of a folder that are too long. */
function tooLong(folder: string): string[] {
  const found = new Set<string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ts|mjs)$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, "utf8");
    if (text.split("\n").length - 1 > FILE_LINES) found.add(file);
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line;
    // The name of a function that has none is that of what holds it.
    const visit = (node: ts.Node, name: string): void => {
      const own = (node as { name?: ts.Node }).name;
      const named = own && ts.isIdentifier(own) ? own.text : name;
      const isLong = lineOf(node.end) - lineOf(node.getStart(source)) >= FUNCTION_LINES;
      if (ts.isFunctionLike(node) && "body" in node && node.body && isLong) found.add(`${file} ${named}`);
      ts.forEachChild(node, (child) => visit(child, named));
    };
    visit(source, "");
  }
  return [...found].sort();
}

test(`no function of runner/ or stages/ has more than ${FUNCTION_LINES} lines, no file more than ${FILE_LINES}`, () => {
  const found = [...tooLong("runner"), ...tooLong("stages")];
  expect(found).toEqual([]); // shorten it, or split it
});
