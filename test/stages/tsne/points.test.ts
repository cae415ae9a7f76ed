import { describe, expect, it } from "vitest";
import { meanOfRows } from "../../../stages/shared/statistics/means.ts";
import { take } from "../../../stages/tsne/points.ts";

const values = Float32Array.of(3, 4, 9, 9, 1, 0, 0, 0);

describe("take", () => {
  it("gives the rows as they are, or of length 1; a vector of zeros stays", () => {
    expect(take(values, 2, Uint32Array.of(2, 0), undefined, false)).toEqual({
      values: Float32Array.of(1, 0, 3, 4),
      rows: 2,
      dim: 2,
    });
    const { values: unit } = take(values, 2, Uint32Array.of(0, 3), undefined, true);
    expect([...unit]).toEqual([...Float32Array.of(0.6, 0.8, 0, 0)]);
  });

  it("takes the centre off before it looks at the length", () => {
    const centre = meanOfRows(values, 2, Uint32Array.of(2, 3));
    expect([...centre]).toEqual([0.5, 0]);
    const { values: unit } = take(values, 2, Uint32Array.of(2, 3), centre, true);
    expect([...unit]).toEqual([1, 0, -1, 0]);
  });
});
