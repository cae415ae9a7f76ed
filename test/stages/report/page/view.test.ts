import { describe, expect, it } from "vitest";
import type { RunData } from "../../../../stages/report/page/data.ts";
import { answerOf, chosenQueries, nearPoints } from "../../../../stages/report/page/view/answers.ts";
import { radiusPoints } from "../../../../stages/report/page/view/codes.ts";
import { confused } from "../../../../stages/report/page/view/confusion.ts";
import { pointAhead, WAYS } from "../../../../stages/report/page/view/direction.ts";
import {
  axesOf,
  byLoss,
  costsOf,
  counting,
  curvePoints,
  filtered,
} from "../../../../stages/report/page/view/series.ts";
import type { Neighbours } from "../../../../stages/shared/artifacts/neighbours.ts";
import { makeNeighbours } from "../neighbours.ts";

describe("answers", () => {
  const found: Neighbours = {
    protocol: "official",
    k: 2,
    seed: 1,
    classes: ["cat", "dog"],
    images: { id: [10, 11, 12, 13, 14], label: [0, 1, 0, 1, 0] },
    queries: [0, 1, 4],
    drawn: 2,
    points: [0, 1, 4],
    representations: [
      {
        id: "a",
        name: "a",
        point: {},
        kind: "embedding",
        distance: "euclidean",
        dim: 2,
        average_precision: [0.9, 0.4, 0.1],
        neighbours: [2, 3, 3, 2, 3, 2],
        distances: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        within: [2, 2, 2],
        among_points: [4, 1, 0, 4, 0, 1],
      },
      {
        id: "b",
        name: "b",
        point: {},
        kind: "code",
        distance: "hamming",
        dim: 2,
        average_precision: [0.2, 0.5, 0.9],
        neighbours: [2, 3, 3, 2, 2, 3],
        distances: [0, 1, 0, 1, 0, 1],
        within: [2, 3, 2],
        among_points: [],
      },
    ],
  };
  const [a, b] = found.representations;

  it("marks what is of the query's class", () => {
    expect(answerOf(found, a, 1)).toEqual({
      near: [
        { image: 3, right: true, distance: 0.3 },
        { image: 2, right: false, distance: 0.4 },
      ],
      right: 1,
      averagePrecision: 0.4,
      within: 2,
    });
    expect(nearPoints(found, a, 0)).toEqual([
      { image: 4, right: true },
      { image: 1, right: false },
    ]);
    expect(nearPoints(found, b, 0)).toEqual([]);
  });

  it("lists the draw in its order, and on demand the worst of all first", () => {
    expect(chosenQueries(found, {})).toEqual([0, 1]);
    expect(chosenQueries(found, { worstIn: 0 })).toEqual([2, 1, 0]);
    expect(chosenQueries(found, { worstIn: 1 })).toEqual([0, 1, 2]);
    expect(chosenQueries(found, { worstIn: 0, label: 0 })).toEqual([2, 0]);
  });

  it("lists those alone that have a wrong one among the nearest", () => {
    const right = structuredClone(found);
    right.representations[0].neighbours.splice(0, 2, 2, 4);
    expect(chosenQueries(right, { wrongIn: 0 })).toEqual([1]);
  });

  it("is made up of what the schema allows", () => {
    const made = makeNeighbours(40);
    for (const { neighbours, among_points } of made.representations) {
      expect(neighbours).toHaveLength(400);
      expect(among_points).toHaveLength(400);
    }
  });
});

describe("curves", () => {
  const run = (loss: string, seed: number, map: number[], triplets?: number[]): RunData => ({
    label: loss,
    point: { loss, seed },
    loss_name: loss,
    steps: map.map((_, at) => 10 * (at + 1)),
    images: map.map((_, at) => 100 * (at + 1)),
    triplets,
    loss: map.map((value) => 1 - value),
    active: map,
    map,
  });
  const runs = [
    run("facenet", 1, [0.2, 0.6], [0, 50]),
    run("facenet", 2, [0.4, 0.8, 0.9], [10, 70, 90]),
    run("softmax", 1, [0.5]),
  ];

  it("draws every seed and, where there are several, their mean, as far as all go", () => {
    const points = curvePoints(runs, "images", "map", "validation mAP");
    const of = (line: string, name: string) =>
      points.filter((point) => point.line === line && point.run === name).map(({ x, y }) => [x, y]);
    expect(of("facenet", "seed 2")).toEqual([
      [100, 0.4],
      [200, 0.8],
      [300, 0.9],
    ]);
    const [first, second, ...more] = of("facenet", "mean");
    expect(first[1]).toBeCloseTo(0.3, 12);
    expect(second[1]).toBeCloseTo(0.7, 12);
    expect(more).toEqual([]);
    expect(of("softmax", "mean")).toEqual([[100, 0.5]]);
    expect(points[0].tip).toBe("facenet, seed 1: validation mAP 0.2 at 100 images seen");
  });

  it("leaves out a run that does not know what is asked of it", () => {
    expect(costsOf(runs)).toEqual(["images", "steps", "triplets"]);
    const lines = curvePoints(runs, "triplets", "map", "mAP").map(({ line }) => line);
    expect(new Set(lines)).toEqual(new Set(["facenet"]));
  });

  it("knows an active share of those runs alone that take triplets or pairs", () => {
    expect(counting(runs).map(({ label }) => label)).toEqual(["facenet", "facenet"]);
  });

  it("filters by the values of axes", () => {
    expect(axesOf(runs)).toEqual([
      { axis: "loss", values: ["facenet", "softmax"] },
      { axis: "seed", values: ["1", "2"] },
    ]);
    expect(filtered(runs, [{ axis: "seed", value: "1" }])).toEqual([runs[1]]);
    expect(filtered(runs, [{ axis: "selector", value: "all" }])).toEqual(runs);
  });

  it("parts runs by their loss function, whether or not it is an axis", () => {
    const named = [{ ...runs[0], point: { schedule: "weight-0" } }];
    expect(byLoss(named).map(([loss]) => loss)).toEqual(["facenet"]);
    expect(byLoss(runs).map(([loss, own]) => [loss, own.length])).toEqual([
      ["facenet", 2],
      ["softmax", 1],
    ]);
  });
});

describe("confused", () => {
  it("names the largest shares off the diagonal", () => {
    const shares = [
      [0.7, 0.3, 0],
      [0.1, 0.9, 0],
      [0, 0.2, 0.8],
    ];
    expect(confused(shares, 2)).toEqual([
      { from: 0, to: 1, share: 0.3 },
      { from: 2, to: 1, share: 0.2 },
    ]);
  });
});

describe("pointAhead", () => {
  const x = [0, 1, 2, 0.1, 0];
  const y = [0, 0.1, 0, 1, -3];
  const go = (from: number, key: string, open = (_: number) => true) =>
    pointAhead(x, y, from, WAYS[key], open);

  it("steps to the nearest point that way, and stays where there is none", () => {
    expect(go(0, "ArrowRight")).toBe(1);
    expect(go(1, "ArrowRight")).toBe(2);
    expect(go(0, "ArrowUp")).toBe(3);
    expect(go(0, "ArrowDown")).toBe(4);
    expect(go(0, "ArrowLeft")).toBe(0);
  });

  it("steps over points that are hidden", () => {
    expect(go(0, "ArrowRight", (point) => point !== 1)).toBe(2);
  });
});

describe("codes", () => {
  it("draws precision against recall, radius by radius, mean over seeds as far as all go", () => {
    const curve = (precision: number[]) => ({
      protocol: "P1",
      label: "itq",
      bits: 12,
      precision,
      recall: precision.map((_, radius) => radius / 4),
    });
    const points = radiusPoints([curve([0.9, 0.7]), curve([0.7, 0.5, 0.1])]);
    expect(points.map(({ x }) => x)).toEqual([0, 0.25]);
    expect(points[0].y).toBeCloseTo(0.8, 12);
    expect(points[1].tip).toBe("itq: precision 0.600, recall 0.250 within radius 1");
  });
});
