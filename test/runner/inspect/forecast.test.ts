import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { estimate, makespan } from "../../../runner/inspect/forecast.ts";
import type { Task } from "../../../runner/plan/task.ts";
import type { StageRecord } from "../../../runner/store/record.ts";

const task = (id: string, params: object = {}, more: object = {}) =>
  ({ id, params, parts: {}, cpus: 1, ...more }) as unknown as Task;
const record = (id: string, seconds: number, params: object = {}, more: object = {}) =>
  ({ id, seconds, params, parts: {}, ended: "1", ...more }) as unknown as StageRecord;

describe("the estimate of one task", () => {
  const wanted = task("a[x=1]", { steps: 100, rate: { from: 1, to: 0 } });

  test("is the time of the run with the same params, under any name", () => {
    const past = [
      record("a[x=1]", 9, { steps: 90, rate: { from: 1, to: 0 } }),
      record("a[x=2]", 7, wanted.params),
    ];
    expect(estimate(wanted, past)).toEqual({ seconds: 7, apart: 0 });
  });
  test("is else that of the run with the fewest params apart", () => {
    const past = [
      record("b", 1, { steps: 90, rate: { from: 2, to: 0 } }),
      record("c", 2, { steps: 90, rate: { from: 1, to: 0 } }),
    ];
    expect(estimate(wanted, past)).toEqual({ seconds: 2, apart: 1 });
  });
  test("of two equally near is its own, then the later one", () => {
    const past = [
      record("b", 1, wanted.params, { ended: "3" }),
      record("a[x=1]", 2, wanted.params, { ended: "1" }),
      record("a[x=1]", 3, wanted.params, { ended: "2" }),
      record("c", 4, wanted.params, { ended: "4" }),
    ];
    expect(estimate(wanted, past)?.seconds).toBe(3);
  });
  test("counts another part, or a part's param, as apart", () => {
    const loss = (name: string, margin: number) => ({
      parts: { loss: { name, code: { hash: name }, params: { margin } } },
    });
    const past = [
      record("a", 1, {}, loss("x", 2)),
      record("b", 2, {}, loss("y", 1)),
      record("c", 3, {}, loss("x", 1)),
    ];
    expect(estimate(task("a", {}, loss("x", 1)), past)).toEqual({ seconds: 3, apart: 0 });
    expect(estimate(task("a", {}, loss("x", 1)), past.slice(0, 2))).toEqual({ seconds: 1, apart: 1 });
  });
  test("is unknown where the stage never ran", () => {
    expect(estimate(wanted, [])).toBeUndefined();
  });
});

describe("how long tasks take together", () => {
  const span = (
    tasks: [name: string, seconds: number, cpus: number | "all", from: string][],
    cores: number,
  ) => {
    const seconds = Object.fromEntries(tasks.map(([name, time]) => [name, time]));
    const from = Object.fromEntries(
      tasks.map(([name, , , needs]) => [name, needs.split("").filter(Boolean)]),
    );
    return makespan(
      tasks.map(([name, , cpus]) => task(name, {}, { cpus })),
      ({ id }) => seconds[id],
      ({ id }) => from[id],
      cores,
    );
  };

  test("is the sum on one core, and the longest chain on many", () => {
    const tasks: Parameters<typeof span>[0] = [
      ["a", 3, 1, ""],
      ["b", 4, 1, ""],
      ["c", 5, 1, "a"],
      ["d", 1, 1, "bc"],
    ];
    expect(span(tasks, 1)).toBe(13);
    expect(span(tasks, 2)).toBe(9);
    expect(span(tasks, 99)).toBe(9);
  });
  test("one that takes all cores runs alone, and a claim of more than there are is cut", () => {
    expect(
      span(
        [
          ["a", 3, "all", ""],
          ["b", 4, 1, ""],
        ],
        4,
      ),
    ).toBe(7);
    expect(
      span(
        [
          ["a", 3, 8, ""],
          ["b", 4, 1, ""],
        ],
        4,
      ),
    ).toBe(7);
    expect(
      span(
        [
          ["a", 3, 2, ""],
          ["b", 4, 2, ""],
        ],
        4,
      ),
    ).toBe(4);
  });
  test("what waits for nothing that runs starts at once", () => {
    expect(span([["a", 3, 1, "xyz"]], 2)).toBe(3);
  });
  test("is between the work shared out and the work in a row", () => {
    const tasks = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 3 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(tasks, fc.integer({ min: 1, max: 4 }), (drawn, cores) => {
        const names = "abcdefghijkl";
        const list = drawn.map(([seconds, cpus, back], i): [string, number, number, string] => [
          names[i],
          seconds,
          cpus,
          names[i - back - 1] ?? "",
        ]);
        const work = list.reduce((sum, [, seconds]) => sum + seconds, 0);
        const claimed = list.reduce((sum, [, seconds, cpus]) => sum + seconds * Math.min(cpus, cores), 0);
        const length = span(list, cores);
        expect(length).toBeLessThanOrEqual(work);
        expect(length).toBeGreaterThanOrEqual(claimed / cores);
      }),
    );
  });
});
