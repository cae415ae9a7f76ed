import { describe, expect, it } from "vitest";
import { onlyAxis, sentence } from "../../../stages/report/comparisons.ts";
import type { Comparison } from "../../../stages/report/summary.ts";

const comparison: Comparison = {
  metric: "map",
  first: "A",
  second: "B",
  difference: 0.02,
  low: 0.01,
  high: 0.03,
  p: 0.001,
  p_holm: 0.01,
  excludes_zero: true,
};

describe("sentence", () => {
  it("says which is above, by how much, and how sure it is", () => {
    expect(sentence(comparison)).toBe("A is above B in mAP by 0.0200 (95 %: +0.0100 to +0.0300).");
  });

  it("turns a negative difference round, its interval with it", () => {
    const negative = { ...comparison, difference: -0.02, low: -0.03, high: -0.005 };
    expect(sentence(negative)).toBe("B is above A in mAP by 0.0200 (95 %: +0.0050 to +0.0300).");
  });

  it("claims nothing where the interval holds 0", () => {
    const none = { ...comparison, difference: -0.002, low: -0.006, high: 0.001, excludes_zero: false };
    expect(sentence(none)).toBe(
      "No significant difference in mAP between B and A: 0.0020 (95 %: −0.0010 to +0.0060).",
    );
  });

  it("says when a difference would not outlive the correction for many pairs", () => {
    expect(sentence({ ...comparison, p_holm: 0.2 })).toContain("Corrected for all pairs");
  });
});

describe("onlyAxis", () => {
  it("names the one axis in which two groups differ", () => {
    expect(onlyAxis({ loss: "a", selector: "x" }, { loss: "b", selector: "x" })).toBe("loss");
    expect(onlyAxis({ loss: "a", selector: "x" }, { loss: "b", selector: "y" })).toBeUndefined();
    expect(onlyAxis({ loss: "a" }, { loss: "a", bits: 12 })).toBe("bits");
    expect(onlyAxis({ loss: "a" }, { loss: "a" })).toBeUndefined();
  });
});
