import { afterEach, beforeEach, expect, test } from "vitest";
import { CodeBook } from "../../../runner/code/bundle.ts";
import { outlineChanges, outlineOf } from "../../../runner/code/outline.ts";
import { Project } from "../project.ts";

let project: Project;
beforeEach(() => {
  project = new Project();
});
afterEach(() => project.remove());

const NUMBERS = "stages/numbers/stage.ts";
const SUMS = "stages/shared/sums.ts";
async function outline() {
  return (await new CodeBook(project.root).read([NUMBERS])).get(NUMBERS)!.outline;
}
/** The changes of an edit, by the outline. */
async function change(file: string, before: string, after: string): Promise<string[]> {
  const old = await outline();
  project.edit(file, before, after);
  return outlineChanges(old, await outline());
}

test("names what the bundle reaches, by file", async () => {
  const found = await outline();
  expect(Object.keys(found).sort()).toEqual(["runner/stage.ts", NUMBERS, SUMS]);
  expect(Object.keys(found[SUMS])).toEqual(["count"]);
  expect(Object.keys(found["runner/stage.ts"])).toEqual(["defineStage"]);
  expect(Object.keys(found[NUMBERS])).toEqual(["default export"]);
});

test("tells the function that changed, and no neighbour of it", async () => {
  expect(await change(SUMS, "start + i", "i + start")).toEqual([`count in ${SUMS}`]);
  expect(await change(SUMS, "a * b", "b * a")).toEqual([]);
  expect(await change(NUMBERS, "count(params", "count(0 + params")).toEqual([`default export in ${NUMBERS}`]);
  expect(await change(SUMS, "export const count", "const more = 2;\nexport const count")).toEqual([]);
  expect(await change(SUMS, "i + start", "i + start + more")).toEqual([`count, more (new) in ${SUMS}`]);
});

test("a name that a new neighbour has too changes nothing else", async () => {
  expect(await change(NUMBERS, "export default", "const times = 1;\nexport default")).toEqual([]);
  project.write("stages/shared/more.ts", "export const count = (a: number) => a;\n");
  expect(
    await change(
      NUMBERS,
      "const times",
      'import { count as other } from "../shared/more.ts";\nif (other(1) > 1) throw 1;\nconst times',
    ),
  ).toEqual([`top level (new) in ${NUMBERS}`, "count (new) in stages/shared/more.ts"]);
});

test("statements without a name are one", () => {
  const text = ["// a.ts", 'import { x } from "y";', "f();", "g();", "// b.ts", "class A {", "}"].join("\n");
  expect(Object.keys(outlineOf(text, ["a.ts", "b.ts"])["a.ts"])).toEqual(["top level"]);
  expect(Object.keys(outlineOf(text, ["a.ts", "b.ts"])["b.ts"])).toEqual(["A"]);
});
