import { describe, expect, it } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";
import { drawMeans, estimates } from "../../../../stages/shared/statistics/bootstrap.ts";

describe("estimates", () => {
  it("gives an interval as wide as the normal theory says", () => {
    const draw = random(3, "values");
    const values = Float64Array.from({ length: 2000 }, () => 5 + 2 * draw.normal());
    const [{ value, low, high }] = estimates([values], random(1, "bootstrap"));
    expect(value).toBeCloseTo(5, 0);
    expect(high - low).toBeCloseTo((2 * 1.96 * 2) / Math.sqrt(2000), 1);
  });
});

describe("the draws", () => {
  const values = Float64Array.of(0, 0.25, 0.5, 1);

  it("are those behind the published metrics.json: one number at a time, queries before seeds", () => {
    expect(estimates([values], random(1, "bootstrap"))).toEqual([
      { value: 0.4375, low: 0.125, high: 0.8125 },
    ]);
    const other = Float64Array.of(1, 0.25, 0.5, 1);
    const [{ queries }] = drawMeans(
      [{ seeds: ["1", "2"], runs: [values, other] }],
      2,
      random(1, "bootstrap"),
    );
    expect([...queries]).toEqual([0.5, 0.6875]);
  });
});
