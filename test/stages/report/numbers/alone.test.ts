import { describe, expect, it } from "vitest";
import { besides, type Measured, spreadOf } from "../../../../stages/report/numbers/alone.ts";

const runs = (seconds: number[], others_busy?: number): Measured[] =>
  seconds.map((step_seconds) => ({
    step_seconds,
    ...(others_busy !== undefined && { cores: 4, others_busy }),
  }));

describe("besides", () => {
  it("reports the work of others, and that it is unknown where it was not measured", () => {
    expect(besides(runs([1, 2], 0.04))).toBe(
      "Each was measured alone: other work kept 0.04 of 4 cores busy at most.",
    );
    expect(besides([...runs([1, 2], 0.04), ...runs([3], 1.5)])).toBe(
      "They were not measured alone: beside 1 of 3 trainings other work kept more than 0.1 cores busy, 1.50 of 4 cores at most. Such seconds give no ranking.",
    );
    const large = { step_seconds: 1, cores: 16, others_busy: 9.34 };
    expect(besides([...runs([1, 2], 1.3), large, { ...large, others_busy: 2 }])).toBe(
      "They were measured on machines of 4 and 16 cores, where other work kept 9.34 of 16 cores busy at most. Such seconds give no ranking.",
    );
    expect(besides([...runs([1], 0), ...runs([1])])).toMatch(/was not measured: the seconds give no ranking/);
  });
});

describe("spreadOf", () => {
  it("ranks no seconds of different machines", () => {
    const one = { step_seconds: 1, others_busy: 0 };
    expect(spreadOf({ a: [{ ...one, cores: 2 }], b: [{ ...one, cores: 16 }] })).toMatch(
      /machines of 2 and 16 cores.* give no ranking\.$/,
    );
  });

  it("tells the least and the most with their intervals, and ranks only trainings that were measured alone", () => {
    const [slow, fast] = [
      [20, 20.2, 19.8],
      [10, 10.1, 9.9],
    ];
    expect(spreadOf({ slow: runs(slow, 0), fast: runs(fast, 0) })).toBe(
      "Steps took from 10.0 s with fast (95 % over runs: 9.8 to 10.2) to 20.0 s with slow (95 % over runs: 19.5 to 20.5), 2.00 times as long. Each was measured alone: other work kept 0.00 of 4 cores busy at most. No interval reaches down to that of fast.",
    );
    expect(spreadOf({ slow: runs(slow), fast: runs(fast) })).toMatch(
      /2\.00 times as long\. Other work on the machine was not measured: the seconds give no ranking\.$/,
    );
  });

  it("names those whose seconds are not surely more", () => {
    const found = spreadOf({ a: runs([10, 11, 9], 0), b: runs([11, 10, 12], 0), c: runs([30, 30, 30], 0) });
    expect(found).toMatch(/The intervals of b reach down to that of a\.$/);
  });
});
