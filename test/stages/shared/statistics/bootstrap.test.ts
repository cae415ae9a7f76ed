import { describe, expect, it } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";
import { estimates } from "../../../../stages/shared/statistics/bootstrap.ts";

describe("estimates", () => {
  it("gives an interval as wide as the normal theory says", () => {
    const draw = random(3, "values");
    const values = Float64Array.from({ length: 2000 }, () => 5 + 2 * draw.normal());
    const [{ value, low, high }] = estimates([values], random(1, "bootstrap"));
    expect(value).toBeCloseTo(5, 0);
    expect(high - low).toBeCloseTo((2 * 1.96 * 2) / Math.sqrt(2000), 1);
  });
});
