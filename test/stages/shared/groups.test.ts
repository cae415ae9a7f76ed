import { describe, expect, it } from "vitest";
import { byName, groupRuns, labelOf, RAW } from "../../../stages/shared/groups.ts";

describe("labelOf", () => {
  it("leaves out what tells no group apart, and names the axis of a number", () => {
    expect(labelOf({ loss: "facenet", selector: "all", seed: 3, protocol: "P1" })).toBe("facenet · all");
    expect(labelOf({ loss: "dtsh", bits: 48, seed: 1 })).toBe("dtsh · bits 48");
    expect(labelOf({ protocol: "P1" })).toBe(RAW);
  });
});

describe("groupRuns", () => {
  it("puts runs together that differ in their seed alone, in the order of the seeds as numbers", () => {
    const runs = [10, 9, 1].flatMap((seed) => [
      { point: { loss: "a", bits: 12, seed } },
      { point: { loss: "a", bits: 24, seed } },
    ]);
    const groups = groupRuns(runs);
    expect(groups.map(({ label }) => label)).toEqual(["a · bits 12", "a · bits 24"]);
    expect(groups[0].members.map(({ point }) => point.seed)).toEqual([1, 9, 10]);
    expect(groups[1].point).toEqual({ loss: "a", bits: 24 });
  });
});

describe("byName", () => {
  it("keeps the order in which names and things stand", () => {
    expect([...byName(["b1", "a1", "b2"], (word) => word[0])]).toEqual([
      ["b", ["b1", "b2"]],
      ["a", ["a1"]],
    ]);
  });
});
