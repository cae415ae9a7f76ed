import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { resolveSchedules, scheduled, valueAt } from "../../../stages/train/schedules.ts";

describe("valueAt", () => {
  test("linear, over all steps or a share of them", () => {
    expect([0, 0.25, 0.5, 1].map((share) => valueAt({ from: 1, to: 3 }, share))).toEqual([1, 1.5, 2, 3]);
    expect([0, 0.25, 0.5, 1].map((share) => valueAt({ from: 1, to: 3, over: 0.5 }, share))).toEqual([
      1, 2, 3, 3,
    ]);
    expect(valueAt({ from: 3, to: 1 }, 0.5)).toBe(2);
  });

  test("step jumps", () => {
    const shares = [0, 0.29, 0.3, 1];
    expect(shares.map((share) => valueAt({ from: 0, to: 10, over: 0.3, shape: "step" }, share))).toEqual([
      0, 0, 10, 10,
    ]);
  });

  test("double climbs 1, 2, 4, 8, 16 in five equal stairs", () => {
    const stairs = [0, 0.19, 0.2, 0.39, 0.4, 0.6, 0.8, 0.99, 1];
    const values = stairs.map((share) => valueAt({ from: 1, to: 16, shape: "double" }, share));
    expect(values).toEqual([1, 1, 2, 2, 4, 8, 16, 16, 16]);
  });

  test("double that cannot double goes evenly", () => {
    expect(valueAt({ from: 0, to: 2, shape: "double" }, 0.5)).toBe(1);
    expect(valueAt({ from: 4, to: 2, shape: "double" }, 0.5)).toBe(3);
  });

  test("ends between two doublings at the end that was asked for", () => {
    const values = [0, 0.5, 1].map((share) => valueAt({ from: 1, to: 3, shape: "double" }, share));
    expect(values[0]).toBe(1);
    expect(values[2]).toBeCloseTo(3, 12);
  });
});

describe("one cycle", () => {
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=0.002, total_steps=21, pct_start=0.3) of PyTorch 1.13: it is at its peak
  // after 0.3 * 21 - 1 = 5.3 of 20 intervals.
  const TORCH = {
    cosine: [8e-5, 0.000243770542, 0.00198486135, 0.00198883087, 0.00153655023, 0.000518626853, 8e-9],
    linear: [8e-5, 0.000442264151, 0.00189132075, 0.00190476229, 0.00136054678, 0.000680277388, 8e-9],
  };
  const STEPS = [0, 1, 5, 6, 10, 15, 20];
  test.each(["cosine", "linear"] as const)("goes up and down as PyTorch's does: %s", (shape) => {
    for (const [i, step] of STEPS.entries()) {
      const rate = valueAt({ peak: 0.002, warmup: 5.3 / 20, shape }, step / 20);
      expect(rate / TORCH[shape][i]).toBeCloseTo(1, 6);
    }
  });

  test("goes from and to what it is told; without a warm-up it only falls", () => {
    const values = (warmup: number) =>
      [0, 0.25, 0.5, 0.75, 1].map((share) =>
        valueAt({ peak: 4, from: 2, to: 1, warmup, shape: "linear" }, share),
      );
    expect(values(0.5)).toEqual([2, 3, 4, 2.5, 1]);
    expect(values(0)).toEqual([4, 3.25, 2.5, 1.75, 1]);
    expect(resolveSchedules({ rate: { peak: 4, warmup: 0.5 } }, 0.5)).toEqual({ rate: 4 });
  });
});

describe("steps", () => {
  test("each value for as long as the others", () => {
    const stairs = [0, 0.19, 0.2, 0.5, 0.8, 0.99, 1];
    const values = stairs.map((share) => valueAt({ steps: [1, 2, 4, 8, 16] }, share));
    expect(values).toEqual([1, 1, 2, 4, 16, 16, 16]);
    expect(valueAt({ steps: [3] }, 0.7)).toBe(3);
    expect([0.3, 0.7].map((share) => valueAt({ steps: [5, 0] }, share))).toEqual([5, 0]);
  });

  test("each from its share on", () => {
    const shares = [0, 0.39, 0.4, 0.51, 0.52, 1];
    const values = shares.map((share) => valueAt({ steps: [0, 10, 7], at: [0.4, 0.52] }, share));
    expect(values).toEqual([0, 0, 10, 10, 7, 7]);
  });

  test("shares that do not fit are a person's fault", () => {
    for (const at of [[], [0.1], [0.5, 0.4], [0.4, 0.4], [0.1, 0.2, 0.3]])
      expect(() => valueAt({ steps: [1, 2, 3], at }, 0)).toThrow(UserError);
    expect(() => valueAt({ steps: [1, 2, 3], at: [0.5, 0.4] }, 0)).toThrow(
      /3 steps needs 2 ascending shares in "at".*not \[0.5, 0.4\]/,
    );
  });
});

test("resolveSchedules leaves everything else as it is", () => {
  const params = {
    margin: { from: 0, to: 2 },
    lambda: { steps: [0, 10] },
    hidden: [512],
    name: "x",
    nothing: null,
    rate: 0.5,
  };
  expect(resolveSchedules(params, 0.5)).toEqual({
    margin: 1,
    lambda: 10,
    hidden: [512],
    name: "x",
    nothing: null,
    rate: 0.5,
  });
});

test("scheduled lets a number through, a schedule, and nothing else", () => {
  const schema = scheduled({ exclusiveMinimum: 0, maximum: 4, default: 0.2, description: "margin" });
  expect(schema.default).toBe(0.2);
  const check = new Ajv({ allowUnionTypes: true }).compile({
    type: "object",
    properties: { margin: schema },
  });
  const ok = (margin: unknown) => check({ margin });
  expect(ok(0.5)).toBe(true);
  expect(ok({ from: 0.1, to: 4, shape: "double" })).toBe(true);
  expect(ok({ steps: [0.1, 4] })).toBe(true);
  expect(ok({ steps: [0.1, 4], at: [0.3] })).toBe(true);
  for (const bad of [
    0,
    -1,
    5,
    "0.5",
    { from: 1 },
    { from: 1, to: 9 },
    { from: 1, to: 2, shape: "round" },
    { from: 1, to: 2, over: 0 },
    { steps: [] },
    { steps: [1, 9] },
    { steps: [1, 2], at: [1] },
    { steps: [1, 2], from: 1, to: 2 },
  ])
    expect(ok(bad)).toBe(false);
});
