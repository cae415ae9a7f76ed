import { describe, expect, it } from "vitest";
import { meanInterval, studentQuantile } from "../../../../stages/shared/statistics/intervals.ts";

describe("studentQuantile", () => {
  // Any table of Student's t, two-sided 95 % and 99 %.
  it.each([
    [1, 0.95, 12.7062],
    [2, 0.95, 4.30265],
    [3, 0.95, 3.18245],
    [4, 0.95, 2.77645],
    [9, 0.95, 2.26216],
    [10, 0.99, 3.16927],
    [30, 0.95, 2.04227],
    [1000, 0.95, 1.96234],
  ])("with %i degrees of freedom holds %f within %f", (freedom, share, t) => {
    expect(studentQuantile(freedom, share)).toBeCloseTo(t, 4);
  });
});

describe("meanInterval", () => {
  it("is mean ± t s / sqrt(n) (by hand)", () => {
    // 0.88, 0.90, 0.92: s = 0.02, t(2) = 4.30265, so ± 0.049683.
    const { mean, low, high } = meanInterval([0.88, 0.9, 0.92]);
    expect(mean).toBeCloseTo(0.9, 12);
    expect(low).toBeCloseTo(0.850317, 5);
    expect(high).toBeCloseTo(0.949683, 5);
  });

  it("claims nothing from one run", () => {
    expect(meanInterval([0.5])).toEqual({ mean: 0.5 });
  });
});
