import { describe, expect, it } from "vitest";
import {
  byName,
  groupRuns,
  isRaw,
  labelOf,
  methodOf,
  rawLabel,
  tellApart,
} from "../../../../stages/shared/runs/groups.ts";

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

describe("tellApart", () => {
  const run = (label: string, steps: number, seed = 1, protocol = "P1") => ({
    label,
    protocol,
    recipe: { training: { steps, seed, protocol, network: { use: "mlp", hidden: [256] } } },
  });
  const labels = (...runs: ReturnType<typeof run>[]) =>
    tellApart(runs, ({ protocol }) => protocol).map(({ label }) => label);

  it("leaves seeds of one kind together, and the order as it is", () => {
    expect(labels(run("b", 1), run("a", 2), run("b", 1, 2))).toEqual(["b", "a", "b"]);
  });

  it("gives runs that one name stands for a longer one each where their params differ", () => {
    expect(labels(run("a", 100), run("b", 1), run("a", 2000), run("a", 100, 2))).toEqual([
      "a (steps 100)",
      "b",
      "a (steps 2000)",
      "a (steps 100)",
    ]);
  });

  it("compares nothing across protocols", () => {
    expect(labels(run("a", 100), run("a", 2000, 1, "P2"))).toEqual(["a", "a"]);
  });
});

describe("methodOf", () => {
  it("is the name without the length, and keeps what tells it from another", () => {
    expect(methodOf("dtsh · bits 48", { loss: "dtsh", bits: 48 })).toBe("dtsh");
    expect(methodOf("dtsh · bits 48 (steps 9)", { loss: "dtsh", bits: 48 })).toBe("dtsh (steps 9)");
    expect(methodOf("bits 48", { bits: 48 })).toBe("codes");
  });
});

describe("byName", () => {
  it("keeps the order of names and things", () => {
    expect([...byName(["b1", "a1", "b2"], (word) => word[0])]).toEqual([
      ["b", ["b1", "b2"]],
      ["a", ["a1"]],
    ]);
  });
});
