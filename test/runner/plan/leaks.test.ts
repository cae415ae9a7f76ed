import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { CodeBook } from "../../../runner/code/bundle.ts";
import { type Guard, refuseLeaks } from "../../../runner/plan/leaks.ts";
import type { Task } from "../../../runner/plan/task.ts";
import { resolve } from "../../../runner/plan/tasks.ts";
import { expand } from "../../../runner/study/expand.ts";
import { load } from "../../../runner/study/load.ts";

const root = mkdtempSync(join(tmpdir(), "deephash-leaks-"));
afterAll(() => rmSync(root, { recursive: true }));

const guard = (stage: string, declared: Guard | string) => {
  mkdirSync(join(root, "stages", stage), { recursive: true });
  const text = typeof declared === "string" ? declared : JSON.stringify(declared);
  writeFileSync(join(root, "stages", stage, "guard.json"), text);
};
beforeEach(() => {
  guard("evaluate", { reveals: ["metrics"] });
  guard("select", { chooses: "a value" });
});

/** A task of a stage that takes files of others, as "a.output". */
const task = (
  id: string,
  from: string[],
  outputs: string[],
  uses: string | undefined = id.replace(/\[.*/, ""),
) =>
  ({
    id,
    stage: id.replace(/\[.*/, ""),
    uses,
    inputs: {
      i: from.map((one) => {
        const cut = one.lastIndexOf(".");
        return { id: one.slice(0, cut), output: one.slice(cut + 1) };
      }),
    },
    outputs: Object.fromEntries(outputs.map((name) => [name, { path: name, measured: false }])),
    at: (...path: unknown[]) => `pipeline.yaml:7:3 (${path.join(".")})`,
  }) as unknown as Task;
const evaluate = task("evaluate[k=1]", [], ["metrics", "log"], "evaluate");

describe("query data that would reach a choice", () => {
  test("is refused with the way it takes", () => {
    expect(() =>
      refuseLeaks([evaluate, task("select", ["evaluate[k=1].metrics"], ["choice"])], root),
    ).toThrow(
      "pipeline.yaml:7:3 (inputs.i) select.inputs.i: query data would reach a choice: evaluate[k=1].metrics → select, which chooses a value. Choose on validation images instead.",
    );
  });
  test("is followed through all outputs made from it, of shell commands too", () => {
    const tasks = [
      evaluate,
      task("table", ["evaluate[k=1].metrics"], ["csv"]),
      { ...task("sort", ["table.csv"], ["best"]), uses: undefined },
      task("select", ["sort.best"], ["choice"]),
    ];
    expect(() => refuseLeaks(tasks, root)).toThrow(
      "evaluate[k=1].metrics → table.csv → sort.best → select, which chooses",
    );
  });
  test("may go to those who choose nothing, and other outputs may go anywhere", () => {
    const tasks = [
      evaluate,
      task("report", ["evaluate[k=1].metrics"], ["page"]),
      task("select", ["evaluate[k=1].log"], ["choice"]),
      task("later", ["select.choice"], ["x"]),
    ];
    expect(() => refuseLeaks(tasks, root)).not.toThrow();
  });
});

describe("a declaration that cannot be right is told", () => {
  const fault = () => refuseLeaks([evaluate], root);
  test.each([
    [
      { reveals: ["metric"] },
      'stages/evaluate/guard.json: reveals "metric", but the stage makes metrics, log.',
    ],
    [
      { choses: "x" } as Guard,
      'stages/evaluate/guard.json: unknown key "choses". Known are reveals and chooses.',
    ],
    ["{", "stages/evaluate/guard.json: is no JSON: "],
  ])("%o", (declared, message) => {
    guard("evaluate", declared);
    expect(fault).toThrow(message);
  });
});

test("the study itself leaks nothing, and selecting by evaluate's metrics is refused", async () => {
  const project = process.cwd();
  const pipeline = load("pipeline.yaml", project);
  for (const name of pipeline.profiles) {
    const study = expand(pipeline, name);
    if (study.instances.some(({ stage }) => stage === "sample")) continue; // reads what only a run can make
    const tasks = await resolve(study, project, new CodeBook(project));
    expect(() => refuseLeaks(tasks, project)).not.toThrow();
    const select = tasks.find(({ uses }) => uses === "select");
    const measured = tasks.find(({ uses }) => uses === "evaluate");
    if (!select || !measured) continue;
    select.inputs.runs = [{ id: measured.id, output: "metrics" }];
    expect(() => refuseLeaks([measured, select], project)).toThrow(
      `${measured.id}.metrics → ${select.id}, which chooses the value of a param`,
    );
  }
});
