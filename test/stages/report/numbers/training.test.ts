import { describe, expect, it } from "vitest";
import { bestRow, firstAt, levelsOf, trainingGroups } from "../../../../stages/report/numbers/training.ts";
import type { History } from "../../../../stages/shared/artifacts/history.ts";
import { collapsedAmong, signsOf } from "../../../../stages/shared/runs/collapse.ts";

/** A history of three rows. */
function history(over: Partial<History> = {}): History {
  return {
    id: "train[seed=1]",
    label: over.id ?? "facenet",
    point: { loss: "facenet", seed: 1 },
    hash: "",
    recipe: {},
    protocol: "official",
    metadata: { collapse: "" },
    step: Uint32Array.of(10, 20, 30),
    epoch: Float32Array.of(1, 2, 3),
    images: Float64Array.of(100, 200, 300),
    loss: Float32Array.of(0.3, 0.2, 0.1),
    active: Float32Array.of(0.9, 0.5, 0.2),
    triplets: Float64Array.of(1000, 2000, 3000),
    spread: Float32Array.of(0.5, 0.6, 0.7),
    validationMap: Float32Array.of(0.4, 0.8, 0.8),
    validationAccuracy: Float32Array.of(0.4, 0.8, 0.8),
    ...over,
  };
}

describe("signsOf", () => {
  it("finds nothing in a healthy training", () => {
    expect(signsOf(history())).toEqual({ collapsed: false, starved: false, marks: [] });
  });

  it("takes the training's word, and sees a variance that fell away by itself", () => {
    const metadata = { collapse: "stuck" };
    const together = Float32Array.of(0.5, 0.2, 0.05);
    expect(signsOf(history({ metadata, spread: together })).marks).toEqual(["collapsed: stuck"]);
    expect(signsOf(history({ metadata })).marks).toEqual([]); // they came apart again
    const lost = signsOf(history({ spread: Float32Array.of(0.9, 0.1, 0.005) }));
    expect(lost).toMatchObject({ collapsed: true, starved: false });
    expect(lost.marks).toEqual(["collapsed: the variance of the embeddings fell to 0.0050"]);
  });

  it("marks a training that ran out of triplets", () => {
    const starved = signsOf(history({ active: Float32Array.of(0.5, 0.1, 0.001) }));
    expect(starved).toMatchObject({ collapsed: false, starved: true });
    expect(starved.marks[0]).toContain("0.10 % of the triplets or pairs active");
  });
});

describe("collapsedAmong", () => {
  it("counts the runs whose training collapsed, untrained ones among them", () => {
    const bad = history({ spread: Float32Array.of(0.9, 0.1, 0.001) });
    expect(collapsedAmong([bad, history(), undefined])).toBe("1 of 3 collapsed");
    expect(collapsedAmong([history()])).toBe("");
  });
});

describe("trainingGroups", () => {
  it("times a training to 95 % of the study's best, not of its own", () => {
    const slow = history({
      id: "slow",
      point: { loss: "slow", seed: 1 },
      validationMap: Float32Array.of(0.1, 0.7, 0.77),
    });
    const never = history({
      id: "never",
      point: { loss: "never", seed: 1 },
      validationMap: Float32Array.of(0.1, 0.2, 0.3),
    });
    const [fast, late, not] = trainingGroups([history(), slow, never]).map(
      ({ members }) => members[0].summary,
    );
    expect(fast).toMatchObject({
      images_to_near_best: 200,
      triplets_to_near_best: 2000,
      images_at_best: 200,
    });
    expect(late).toMatchObject({ images_to_near_best: 300, best_step: 30 });
    expect(not).toMatchObject({ images_to_near_best: null, triplets_to_near_best: null });
  });

  it("holds no training against the best of another protocol", () => {
    const easy = history({ id: "easy", protocol: "P2", validationMap: Float32Array.of(0.9, 0.96, 1) });
    expect([...levelsOf([history(), easy])]).toEqual([
      ["official", 0.95 * Math.fround(0.8)],
      ["P2", 0.95],
    ]);
    const [own, other] = trainingGroups([history(), easy]).map(({ members }) => members[0].summary);
    expect(own).toMatchObject({ protocol: "official", images_to_near_best: 200 });
    expect(other).toMatchObject({ protocol: "P2", images_to_near_best: 200 });
  });

  it("keeps the first of equally good evaluations, as the training kept its weights", () => {
    expect(bestRow(history())).toBe(1);
    expect(firstAt([0.1, 0.5, 0.7], 0.5)).toBe(1);
    expect(firstAt([0.1], 0.5)).toBeUndefined();
  });
});
