import { describe, expect, it } from "vitest";
import type { Point } from "../../../runner/stage.ts";
import {
  byName,
  groupRuns,
  isRaw,
  labelOf,
  madeFrom,
  rawLabel,
  samePoint,
} from "../../../stages/shared/groups.ts";

describe("labelOf", () => {
  it("leaves out what tells no group apart, and names the axis of a number", () => {
    expect(labelOf({ loss: "facenet", selector: "all", seed: 3, protocol: "P1" }, "train")).toBe(
      "facenet · all",
    );
    expect(labelOf({ loss: "dtsh", bits: 48, seed: 1 }, "train")).toBe("dtsh · bits 48");
    expect(labelOf({ seed: 1 }, "train[seed=1]")).toBe("train[seed=1]");
  });
});

describe("rawLabel", () => {
  it("is told from any other, with the axes there are", () => {
    expect(rawLabel({ protocol: "P1" })).toBe("raw features");
    expect(rawLabel({ backbone: "resnet18" })).toBe("raw features · resnet18");
    expect(isRaw(rawLabel({ backbone: "resnet18" }))).toBe(true);
    expect(isRaw(labelOf({ backbone: "resnet18" }, ""))).toBe(false);
  });
});

describe("groupRuns", () => {
  it("puts runs together that have one label, in the order of the seeds as numbers", () => {
    const runs = [10, 9, 1].flatMap((seed) =>
      [12, 24].map((bits) => {
        const point = { loss: "a", bits, seed };
        return { point, label: labelOf(point, "") };
      }),
    );
    const groups = groupRuns(runs);
    expect(groups.map(({ label }) => label)).toEqual(["a · bits 12", "a · bits 24"]);
    expect(groups[0].members.map(({ point }) => point.seed)).toEqual([1, 9, 10]);
    expect(groups[1].point).toEqual({ loss: "a", bits: 24 });
  });
});

describe("what went into what", () => {
  const evaluation = { loss: "a", seed: 1, bits: 12, protocol: "P1" };
  const made = (...points: Point[]) =>
    madeFrom(
      points.map((point) => ({ point })),
      evaluation,
    )?.point;
  it("is the training of an evaluation that has more axes", () => {
    expect(made({ loss: "a", seed: 2 }, { loss: "a", margin: 1 }, { loss: "a", seed: 1 })).toEqual({
      loss: "a",
      seed: 1,
    });
    expect(made({ loss: "a", seed: 2 })).toBeUndefined();
  });
  it("is the nearest of several, wherever it stands", () => {
    const [short, long] = [
      { loss: "a", seed: 1 },
      { loss: "a", seed: 1, bits: 12 },
    ];
    expect(made(short, long)).toEqual(long);
    expect(made(long, short)).toEqual(long);
  });
  it("tells the same point from one that has more axes", () => {
    expect(samePoint({ loss: "a", seed: 1 }, { seed: 1, loss: "a" })).toBe(true);
    expect(samePoint({ loss: "a" }, { loss: "a", seed: 1 })).toBe(false);
    expect(samePoint({ loss: "a", seed: 1 }, { loss: "a" })).toBe(false);
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
