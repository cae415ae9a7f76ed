import { expect, test } from "vitest";
import { shareExtent } from "../../../../stages/shared/charts/extent.ts";

test.each([
  [
    [0.81, 0.82, 0.83],
    [0.7, 0.95],
  ], // small differences stay small
  [
    [0.16, 0.44],
    [0.15, 0.45],
  ],
  [
    [0.98, 0.99],
    [0.75, 1],
  ],
  [[0.01], [0, 0.25]],
  [
    [0, 1],
    [0, 1],
  ],
])("the axis of %j is %j", (values, extent) => {
  const [low, high] = shareExtent(values);
  expect([low, high]).toEqual(extent);
  expect(high - low).toBeGreaterThan(0.199);
});
