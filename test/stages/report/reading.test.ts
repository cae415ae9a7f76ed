/** How metrics.json is read: who is behind a number, and how sure a change is. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { pointOf } from "../../../runner/study/matrix.ts";
import reading from "../../../stages/report/reading.ts";
import { type MadeStudy, makeStudy, plannedRuns } from "./study.ts";

const ids = [
  ...[1, 2, 10].map((seed) => `evaluate[loss=facenet,selector=all,seed=${seed}]`),
  "evaluate[loss=facenet,selector=all,steps=150,seed=1]",
  "evaluate-raw",
];
const makers = [
  ...ids.map((id) => ({ input: "metrics", id, point: pointOf(id) })),
  {
    input: "histories",
    id: "train[loss=facenet,selector=all,seed=1]",
    point: pointOf("train[loss=facenet,selector=all,seed=1]"),
  },
  {
    input: "histories",
    id: "train[loss=facenet,selector=all,seed=2]",
    point: pointOf("train[loss=facenet,selector=all,seed=2]"),
  },
];
const behind = (...path: string[]) => reading.makers(path, makers);

describe("behind a number are", () => {
  const label = ["protocols", "official", "groups", "facenet · all"];
  test("the runs of its group, of a value the one", () => {
    expect(behind(...label, "metrics", "map", "mean")).toEqual(ids.slice(0, 3));
    expect(behind(...label, "metrics", "map", "values", "2")).toEqual([ids[2]]);
    expect(behind("protocols", "official", "groups", "facenet · all · steps 150", "metrics", "map")).toEqual([
      ids[3],
    ]);
    expect(behind("protocols", "official", "groups", "raw features")).toEqual(["evaluate-raw"]);
  });
  test("both groups of a difference", () => {
    expect(
      behind("protocols", "official", "differences", "map", "facenet · all less raw features", "low"),
    ).toEqual([...ids.slice(0, 3), "evaluate-raw"]);
  });
  test("trainings and choices", () => {
    expect(behind("validation", "trainings", "facenet · all", "best_validation_map", "1")).toEqual([
      makers[6].id,
    ]);
    expect(behind("validation", "choices", "select[loss=facenet]", "0.2")).toEqual(["select[loss=facenet]"]);
  });
  test("nobody in particular", () => {
    expect(behind("protocols", "official", "queries")).toEqual([]);
  });
});

describe("a change without the queries", () => {
  const numbers = (mean: number, half?: number) => {
    const interval = half === undefined ? undefined : { low: mean - half, high: mean + half };
    return {
      protocols: {
        official: { groups: { a: { metrics: { map: { mean, queries: interval, seeds: interval } } } } },
      },
    };
  };
  const compare = (before: object, now: object) =>
    reading.compare({ numbers: before, sources: {} }, { numbers: now, sources: {} });

  test("rests on the intervals, of seeds and of queries, of both", () => {
    const [one] = compare(numbers(0.5, 0.0196), numbers(0.46, 0.0196));
    // Four deviations of 0.01: 0.02 together.
    expect(one).toMatchObject({
      path: ["protocols", "official", "groups", "a", "metrics", "map"],
      how: "the 95 % intervals",
    });
    expect(one.difference).toBeCloseTo(-0.04, 12);
    expect(one.low).toBeCloseTo(-0.04 - 1.96 * 0.02, 4);
    expect(one.high).toBeCloseTo(-0.04 + 1.96 * 0.02, 4);
    expect(one.p).toBeCloseTo(0.0455, 3); // two deviations
  });
  test("has no p where there is no interval, and is none where nothing changed", () => {
    expect(compare(numbers(0.5), numbers(0.4))[0]).toMatchObject({
      how: "no interval",
      before: 0.5,
      now: 0.4,
    });
    expect(compare(numbers(0.5), numbers(0.4))[0].p).toBeUndefined();
    expect(compare(numbers(0.5, 0.1), numbers(0.5, 0.1))[0]).toMatchObject({ difference: 0, p: 1 });
  });
  test("groups of one side alone are left to the exact comparison", () => {
    expect(compare({ protocols: {} }, numbers(0.5, 0.1))).toEqual([]);
  });
});

test("it speaks for means, intervals, classes and differences, and for no count", () => {
  const group = ["protocols", "official", "groups", "a"];
  for (const path of [
    [...group, "metrics", "map", "mean"],
    [...group, "metrics", "map", "queries", "low"],
    [...group, "classes", "cat", "map"],
    ["protocols", "official", "differences", "map", "a less b"],
  ])
    expect(reading.covers(path), path.join(".")).toBe(true);
  for (const path of [
    group,
    [...group, "dim"],
    [...group, "metrics", "map"],
    ["protocols", "official", "queries"],
    ["validation", "choices", "x", "0.2"],
  ])
    expect(reading.covers(path), path.join(".")).toBe(false);
});

describe("a change with the queries of both sides", () => {
  const SEEDS = [1, 2, 3];
  const wanted = ["all", "random-negative"];
  const runsOf = (drop: number) =>
    plannedRuns(SEEDS)
      .filter(({ point }) => point.loss === "facenet" && wanted.includes(String(point.selector)))
      .map((run) => (run.point.selector === "all" ? { ...run, map: run.map - drop } : run));
  const [before, now] = [makeStudy(100, runsOf(0)), makeStudy(100, runsOf(0.01))];
  afterAll(() => {
    before.remove();
    now.remove();
  });
  const resultOf = ({ metrics, queries }: MadeStudy, seeds = SEEDS) => {
    const own = metrics.filter(({ point }) => seeds.includes(Number(point.seed)));
    const groups = Object.fromEntries(
      wanted.map((selector) => {
        const values = own
          .filter(({ point }) => point.selector === selector)
          .map(({ path }) => JSON.parse(readFileSync(path, "utf8")).metrics.map.value as number);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return [
          `facenet · ${selector}`,
          { metrics: { map: { mean, seeds: { low: mean - 0.5, high: mean + 0.5 } } } },
        ];
      }),
    );
    return { numbers: { protocols: { official: { groups } } }, sources: { metrics: own, queries } };
  };

  test("is seen though it is smaller than the noise of each: what makes a query hard falls out", () => {
    const [all, other] = reading.compare(resultOf(before), resultOf(now));
    expect(all).toMatchObject({ how: "paired, 100 queries and 3 seeds" });
    expect(all.difference).toBeLessThan(-0.005);
    expect(all.high).toBeLessThan(0);
    expect(all.p).toBeLessThan(0.05);
    expect(other).toMatchObject({ difference: 0, low: 0, high: 0, p: 1 });
  });
  test("falls back on the intervals where one side's queries are gone, or others were asked", () => {
    const gone = { ...resultOf(before), sources: {} };
    expect(reading.compare(gone, resultOf(now))[0].how).toBe("the 95 % intervals");
    const others = makeStudy(90, runsOf(0));
    expect(reading.compare(resultOf(others), resultOf(now))[0].how).toBe("the 95 % intervals");
    others.remove();
  });
  test("of other seeds is not paired by them, and says so", () => {
    expect(reading.compare(resultOf(before, [1, 2]), resultOf(now))[0].how).toBe(
      "paired, 100 queries and 3 seeds (not paired)",
    );
  });
});
