/** Texts and numbers that a square would not get through. */
import { afterAll, describe, expect, test } from "vitest";
import { several } from "../../../runner/cli/options.ts";
import { outlineOf } from "../../../runner/code/outline.ts";
import { makespan } from "../../../runner/inspect/forecast.ts";
import { byStage, status } from "../../../runner/inspect/graph.ts";
import { pointOf } from "../../../runner/study/matrix.ts";
import { columns } from "../../../runner/text/columns.ts";
import { Project } from "../project.ts";

const project = new Project();
afterAll(() => project.remove());

/** A step for each character is over in milliseconds, one for each pair of them takes minutes. */
const LONG = 300_000;
const MOST_MILLISECONDS = 10_000;
function inTime<T>(work: () => T): T {
  const began = performance.now();
  const result = work();
  expect(performance.now() - began).toBeLessThan(MOST_MILLISECONDS);
  return result;
}

describe("a text as long as that takes no time that grows with its square", () => {
  test("the name of an instance", () => {
    expect(inTime(() => pointOf("[".repeat(LONG)))).toEqual({});
    expect(pointOf("s[a=1,b=x=y,c=true]")).toEqual({ a: 1, b: "x=y", c: true });
    expect(pointOf("s")).toEqual({});
  });
  test("a list of stages", () => {
    expect(inTime(() => several(`a${",[".repeat(LONG)}`, []))).toHaveLength(2);
    expect(inTime(() => several(",".repeat(LONG), []))).toHaveLength(1);
    expect(several("a,b[c=1,d=2],e", ["x"])).toEqual(["x", "a", "b[c=1,d=2]", "e"]);
    expect(several("", [])).toEqual([""]); // which no stage is called, as the runner says
  });
  test("the outline of a bundle that holds a long word", () => {
    const text = `// a.js\nvar wasm = "${"a1b2".repeat(LONG / 4)}";`;
    expect(inTime(() => outlineOf(text, ["a.js"]))).toHaveProperty(["a.js", "wasm"]);
  });
});

test("a table may have more rows than a call has arguments", () => {
  const rows = Array.from({ length: LONG }, (_, i) => [String(i), "x"]);
  expect(inTime(() => columns(rows)).at(-1)).toBe("299999  x");
});

test("the time of thousands of tasks is told at once", () => {
  const tasks = Array.from({ length: 20_000 }, (_, i) => ({ id: `s${i}`, cpus: 1 })) as never[];
  expect(
    inTime(() =>
      makespan(
        tasks,
        () => 1,
        () => [],
        4,
      ),
    ),
  ).toBe(5000);
});

test("the status of 200,000 instances of one stage is one line", () => {
  const tasks = Array.from({ length: 200_000 }, (_, i) => ({ id: `s[i=${i}]`, stage: "s", inputs: {} }));
  const miss = { kind: "miss", key: "", reason: "never ran" };
  const states = new Map(tasks.map(({ id }) => [id, miss]));
  expect(inTime(() => status({ tasks, states } as never))).toBe("s  200000 to run (never ran)");
  expect(inTime(() => byStage(tasks as never)).get("s")).toHaveLength(200_000);
});

test("status and graph of 20,000 instances, and of one that takes them all", async () => {
  const values = Array.from({ length: 10_000 }, (_, i) => i);
  project.write(
    "pipeline.yaml",
    JSON.stringify({
      profiles: { small: {} },
      stages: {
        one: { uses: "numbers", matrix: { i: values }, with: { start: "${i}" } },
        two: {
          run: "cat ${in.x} > ${out.o}",
          matrix: "one",
          inputs: { x: "one.values" },
          outputs: { o: "o" },
        },
        all: { uses: "total", inputs: { values: "two.o" } },
      },
    }),
  );
  const began = performance.now();
  const { out, code } = await project.run("status");
  expect(out).toBe(
    "Profile small\none  10000 to run (never ran)\ntwo  10000 waiting for one\nall  waiting for two\n",
  );
  expect(code).toBe(0);
  expect((await project.run("graph")).out).toContain("two × 10000");
  expect(performance.now() - began).toBeLessThan(90_000); // 5 s each where nothing else runs
}, 120_000);

test("a matrix of 120,000 points is refused in one line, also where they are all included", async () => {
  const include = Array.from({ length: 120_000 }, (_, i) => `{i: ${i}}`).join(", ");
  project.write(
    "pipeline.yaml",
    `profiles: { a: {} }\nstages: { s: { run: x, matrix: { include: [${include}] } } }\n`,
  );
  const { err, code } = await project.run("status");
  expect(err).toBe(
    "pipeline.yaml:2:24 s.matrix: has 120000 points, more than 100000. Take fewer values, or a list of smaller matrices.\n",
  );
  expect(code).toBe(2);
}, 120_000);
