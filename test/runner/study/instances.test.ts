/**
 * Every instance of every study: its stage, params, inputs, outputs, claims and folder. A change of the language or of a
 * file must not change a study that nobody meant to change; where it is meant, write the lists again:
 * npx vitest run test/runner/study/instances.test.ts --update
 */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { CodeBook } from "../../../runner/code/bundle.ts";
import { canonical } from "../../../runner/code/index.ts";
import { sha256 } from "../../../runner/files/index.ts";
import { settleGlobs } from "../../../runner/plan/globs.ts";
import type { StageDefinition } from "../../../runner/stage.ts";
import { expand } from "../../../runner/study/expand.ts";
import type { StageInstance } from "../../../runner/study/instances.ts";
import { load } from "../../../runner/study/load.ts";

const root = process.cwd();
const pipeline = load("pipeline.yaml", root);
const entryOf = (stage: string) => `stages/${stage}/stage.ts`;

/** A part without params of its own is its name. */
const shortForm = (value: unknown): unknown =>
  value !== null && typeof value === "object" && Object.keys(value).join() === "use"
    ? (value as { use: unknown }).use
    : value;

/** One line: a hash of everything, the stage, the id and where it is published. */
function lineOf({ id, stage: _, point: __, at: ___, ...instance }: StageInstance): string {
  const params = Object.entries(instance.with).map(([name, value]) => [name, shortForm(value)]);
  const all = {
    ...instance,
    with: Object.fromEntries(params),
    inputs: Object.fromEntries(Object.entries(instance.inputs).filter(([, list]) => list.length)),
  };
  const hash = sha256(canonical(JSON.parse(JSON.stringify(all)))).slice(0, 12);
  return `${hash} ${instance.uses ?? "run"} ${id}${instance.publish ? ` → ${instance.publish}` : ""}`;
}

test.each(pipeline.profiles)("the instances of %s", async (profile) => {
  const { instances } = expand(pipeline, profile);
  const kinds = [...new Set(instances.map(({ uses }) => entryOf(uses!)))];
  const code = await new CodeBook(root).read(kinds);
  const settled = settleGlobs(instances, ({ uses }) =>
    Object.keys((code.get(entryOf(uses!))!.definition as StageDefinition).outputs),
  );
  const lines = settled.map(lineOf).sort((a, b) => (a.slice(13) < b.slice(13) ? -1 : 1));
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(
    resolve(`test/runner/study/instances/${profile}.txt`),
  );
});

test("there is not one instance more or less than there was", () => {
  const counts = pipeline.profiles.map((profile) => expand(pipeline, profile).instances.length);
  expect(counts.reduce((sum, count) => sum + count)).toBe(2420);
});

test.each([
  ["whole"],
  ["last-blocks"],
  ["crop", "random-views"],
  ["mirrored", "distilled"],
])("the study finetune runs with some steps alone: %j %j", (...steps) => {
  const { instances } = expand(pipeline, "finetune", [{ path: ["vars", "reach"], value: steps }]);
  const names = instances.map(({ stage }) => stage);
  expect(names.includes("pseudo-label")).toBe(steps.includes("distilled"));
  expect(names).toContain("report");
});
