import { describe, expect, it } from "vitest";
import { findNumber } from "../../../runner/inspect/address.ts";
import type { Answer } from "../../../stages/report/answers/answer.ts";
import { answersOf } from "../../../stages/report/answers/answers.ts";
import { heldNumbers } from "../../../stages/report/numbers/files.ts";
import type { Comparison, GroupSummary, Summary } from "../../../stages/report/numbers/summary.ts";
import type { Training } from "../../../stages/report/numbers/training.ts";
import { labelOf, rawLabel } from "../../../stages/shared/runs/groups.ts";
import { namesOf } from "../../../stages/shared/runs/words.ts";
import { recipeFor } from "./study.ts";

interface Planned {
  point: GroupSummary["point"];
  map: number;
  knn?: number;
  collapsed?: string;
}

/** Differences below this are not significant. */
const NEAR = 0.01;

function group({ point, map, knn = 0.8, collapsed = "" }: Planned): GroupSummary {
  const metric = (mean: number) => ({
    mean,
    values: [mean, mean],
    seeds: { low: mean - 0.004, high: mean + 0.004 },
  });
  const { bits = 0, binariser } = point;
  const code = bits ? { binariser: { use: String(binariser ?? "sign") }, bits } : undefined;
  return {
    point,
    recipe: recipeFor({ point, ...(code && { code }) }),
    trained: point.loss !== undefined,
    collapsed,
    seeds: ["1", "2"],
    ids: ["one", "two"],
    dim: Number(bits || 64),
    distance: bits ? "hamming" : "euclidean",
    metrics: { map: metric(map), knn_accuracy: metric(knn) },
    classes: {},
  };
}

function summaryOf(planned: Planned[], protocol = "official", trainings: Record<string, number> = {}) {
  const groups = Object.fromEntries(
    planned
      .toSorted((a, b) => b.map - a.map)
      .map((one) => [
        one.point.loss === undefined && one.point.bits === undefined
          ? rawLabel(one.point)
          : labelOf(one.point, ""),
        group(one),
      ]),
  );
  const labels = Object.keys(groups);
  const comparisons = labels.flatMap((first, at) =>
    labels.slice(at + 1).flatMap((second) =>
      (["map", "knn_accuracy"] as const).map((metric): Comparison => {
        const difference = groups[first].metrics[metric].mean - groups[second].metrics[metric].mean;
        const [low, high] = [difference - NEAR, difference + NEAR];
        const excludes_zero = low > 0 || high < 0;
        return { metric, first, second, difference, low, high, p: 0, p_holm: 0, excludes_zero };
      }),
    ),
  );
  const summary: Summary = {
    resamples: 100,
    protocols: { [protocol]: { queries: 100, database: 500, groups, comparisons } },
    choices: [],
    near_best: new Map(),
    trainings: Object.fromEntries(
      Object.entries(trainings).map(([label, images]) => [
        label,
        [{ images_to_near_best: images, best_validation_map: 0.8, collapsed: false } as Training],
      ]),
    ),
  };
  const names = namesOf(
    Object.entries(groups).map(([label, { point, recipe }]) => ({ label, point, recipe })),
  );
  return { summary, names };
}

const answers = (planned: Planned[], protocol?: string, trainings?: Record<string, number>) => {
  const { summary, names } = summaryOf(planned, protocol, trainings);
  return answersOf(summary, names, "reports/made");
};
const of = (found: Answer[], id: Answer["id"]) => {
  const one = found.find((answer) => answer.id === id);
  return one && { ...one, words: one.lines.join(" ") };
};

const facenet = (selector: string, map: number, more: Partial<Planned> = {}): Planned => ({
  point: { loss: "facenet", selector },
  map,
  ...more,
});
const hoffer = (selector: string, map: number): Planned => ({
  point: { loss: "hoffer-ailon", selector },
  map,
});
const code = (loss: string, bits: number, map: number): Planned => ({ point: { loss, bits }, map });
const itq = (bits: number, map: number): Planned => ({ point: { binariser: "itq", bits }, map });

const STUDY = [
  { point: {}, map: 0.42, knn: 0.855 },
  facenet("semihard-negative", 0.87, { knn: 0.886 }),
  facenet("random-negative", 0.868),
  facenet("all", 0.85),
  facenet("hardest-negative", 0.6, { collapsed: "3 of 3 collapsed" }),
  hoffer("all", 0.81),
  hoffer("hardest-negative", 0.78),
  code("dtsh", 12, 0.77),
  code("dtsh", 24, 0.825),
  code("dtsh", 48, 0.83),
  itq(48, 0.43),
];

describe("the steps of a study", () => {
  const step = (step: string, bits: number, map: number): Planned => ({
    point: { step, loss: "dtsh", bits },
    map,
  });
  it("are told from the lowest on, at the length that all share, each with its gain", () => {
    const found = of(
      answers([
        step("whole", 48, 0.88),
        step("crop", 48, 0.79),
        step("random-views", 48, 0.805),
        step("crop", 12, 0.74),
        step("whole", 64, 0.95),
      ]),
      "steps",
    )!;
    expect(found.words).toBe(
      "Under the protocol official, in mAP: crop 0.790 (95 %: 0.786 to 0.794); each step less the one before it: random views 0.805 (95 %: 0.801 to 0.809), +0.015 (95 %: +0.005 to +0.025), significant; whole 0.880 (95 %: 0.876 to 0.884), +0.075 (95 %: +0.065 to +0.085), significant; 2 seeds. From crop to whole: +0.090 (95 %: +0.080 to +0.100), significant.",
    );
    expect(found.bars.map(({ name }) => name)).toEqual(["crop", "random views", "whole"]);
  });

  it("are no question where a study has one or none", () => {
    expect(of(answers([step("whole", 48, 0.88)]), "steps")).toBeUndefined();
    expect(of(answers(STUDY), "steps")).toBeUndefined();
  });
});

describe("answers", () => {
  it("answers the four questions in the words of the numbers", () => {
    const found = answers(STUDY, "official", {
      "facenet · semihard-negative": 12_000,
      "facenet · all": 20_000,
    });
    expect(found.map(({ id }) => id)).toEqual(["pretrained", "losses", "mining", "bits"]);
    for (const { lines } of found) expect(lines.length).toBeLessThanOrEqual(2);
    expect(of(found, "pretrained")!.words).toBe(
      "Used as they are, they predict the class of 85.5 % of the queries (kNN) and rank the database with a mAP of 0.420 (95 %: 0.416 to 0.424). The best training (FaceNet, semi-hard, 2 seeds) has a mAP of 0.870: +0.450 (95 %: +0.440 to +0.460), significant; in kNN accuracy +0.031 (95 %: +0.021 to +0.041), significant.",
    );
    expect(of(found, "losses")!.question).toBe("What do FaceNet and Hoffer & Ailon make of them?");
    expect(of(found, "losses")!.words).toBe(
      "Best mAP of each: FaceNet 0.870 (semi-hard and the margin 0.2 that validation chose); Hoffer & Ailon 0.810 (all triplets). FaceNet less Hoffer & Ailon: +0.060 (95 %: +0.050 to +0.070), significant. With the same mining, FaceNet is significantly above Hoffer & Ailon with all triplets, significantly below with hardest negatives.",
    );
    expect(of(found, "mining")!.words).toBe(
      "With FaceNet, the highest mAP is that of semi-hard, 0.870 (95 %: 0.866 to 0.874): random negatives is not significantly below. Collapse: hardest negatives (3 of 3 collapsed). 95 % of the best validation mAP takes 12,000 images with semi-hard and 20,000 with all triplets.",
    );
    expect(of(found, "bits")!.words).toBe(
      "Under the protocol official, DTSH, 48 bits has the highest mAP of the codes, 0.830 (95 %: 0.826 to 0.834), 2 seeds. As good with fewer bits: DTSH, 24 bits: −0.005 (95 %: −0.015 to +0.005), not significant. 12 bits (2 bytes) keep 93 % of it: 0.770 with DTSH, 12 bits. Above ITQ, 48 bits, which needs no labels: +0.400 (95 %: +0.390 to +0.410), significant.",
    );
  });

  it("says other things of other numbers", () => {
    const found = answers([
      { point: {}, map: 0.8, knn: 0.9 },
      facenet("semihard-negative", 0.803, { knn: 0.9 }),
      facenet("all", 0.6),
      hoffer("semihard-negative", 0.9),
      hoffer("all", 0.601),
      code("dtsh", 12, 0.5),
      code("dtsh", 48, 0.83),
    ]);
    expect(of(found, "pretrained")!.words).toContain("The best training (Hoffer & Ailon, semi-hard");
    expect(of(found, "losses")!.words).toMatch(
      /Hoffer & Ailon less FaceNet: \+0\.097 .*, Hoffer & Ailon is significantly above FaceNet with semi-hard, not significantly different with all triplets\./,
    );
    expect(of(found, "mining")!.words).toContain("significantly above all others");
    expect(of(found, "mining")!.words).not.toContain("Collapse");
    expect(of(found, "bits")!.words).toContain("Every shorter code is significantly below.");
  });

  it("says that a training is not significantly better where it is not", () => {
    const found = answers([{ point: {}, map: 0.8 }, facenet("all", 0.805)]);
    expect(found.map(({ id }) => id)).toEqual(["pretrained"]);
    expect(of(found, "pretrained")!.words).toContain("+0.005 (95 %: −0.005 to +0.015), not significant");
  });

  it("leaves out what a study does not ask: codes alone", () => {
    const found = answers([code("dtsh", 12, 0.77), code("dtsh", 48, 0.8), itq(48, 0.4)], "P1");
    expect(found.map(({ id }) => id)).toEqual(["bits", "published"]);
    const { words, bars } = of(found, "published")!;
    // DTSH .774, DSDH .820, GreedyHash .822, DFH .844, DPSH .757 and .811, ITQ .175
    expect(words).toContain("above 3 and below 4 of 7 published numbers");
    expect(words).toContain("The highest is 0.844 (DFH, Li et al. 2019).");
    expect(bars[1]).toMatchObject({ value: 0.844 });
  });

  it("names the best where no question applies", () => {
    const found = answers([
      { point: { loss: "softmax" }, map: 0.7 },
      { point: { loss: "supcon" }, map: 0.8 },
    ]);
    expect(found.map(({ id, lines }) => [id, lines[0]])).toEqual([
      ["best", "SupCon has the highest mAP, 0.800 (95 %: 0.796 to 0.804), 2 seeds."],
    ]);
  });

  it("gives addresses that explain finds, each the number that is told", () => {
    const { summary, names } = summaryOf(STUDY);
    const held = JSON.parse(JSON.stringify(heldNumbers(summary)));
    for (const { addresses } of answersOf(summary, names, "reports/made"))
      for (const address of addresses) {
        expect(address).toMatch(/^reports\/made#/);
        const { keys, value } = findNumber(held, address.split("#")[1], "metrics.json");
        expect(keys.slice(0, 3)).toEqual(["protocols", "official", "groups"]);
        expect(value).toBeTypeOf("number");
      }
    const [first] = answersOf(summary, names, "reports/made");
    expect(first.addresses[0]).toBe("reports/made#official.raw/features.map.mean");
    const { keys } = findNumber(held, first.addresses[2].split("#")[1], "metrics.json");
    expect(keys[3]).toBe("facenet · semihard-negative");
  });
});
