import { describe, expect, it } from "vitest";
import type { RunData } from "../../../../stages/report/page/data.ts";
import {
  answerOf,
  chosenQueries,
  middleOf,
  nearPoints,
} from "../../../../stages/report/page/view/answers.ts";
import { radiusPoints } from "../../../../stages/report/page/view/codes.ts";
import { confused } from "../../../../stages/report/page/view/confusion.ts";
import { pointAhead, WAYS } from "../../../../stages/report/page/view/direction.ts";
import { byLoss, costsOf, counting, curvePoints } from "../../../../stages/report/page/view/series.ts";
import type { Neighbours } from "../../../../stages/shared/artifacts/neighbours.ts";
import { lineNames, panelsOf } from "../../../../stages/shared/runs/panels.ts";
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
        map: [0.9, 0.4, 0.1],
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
        map: [0.2, 0.5, 0.9],
        neighbours: [2, 3, 3, 2, 2, 3],
        distances: [0, 1, 0, 1, 0, 1],
        within: [2, 3, 2],
        among_points: [],
      },
    ],
  };
  const [a, b] = found.representations;

  it("marks images of the query's class", () => {
    expect(answerOf(found, a, 1)).toEqual({
      near: [
        { image: 3, right: true, distance: 0.3 },
        { image: 2, right: false, distance: 0.4 },
      ],
      right: 1,
      map: 0.4,
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

  it("finds the middle of the draw, without the worst ones that are listed with it", () => {
    expect(middleOf({ drawn: 3 }, [5, 4, 1, 0, 2])).toBe(3);
    expect(middleOf({ drawn: 0 }, [5, 4, 1])).toBe(1);
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
    protocol: "official",
    collapsed: false,
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

  const names = new Map([["facenet", "FaceNet"]]);

  it("draws the mean over the seeds with its interval, as far as all go", () => {
    const points = curvePoints(runs, "images", "map", "validation mAP", names);
    const [first, second, ...more] = points.filter(({ line }) => line === "facenet");
    expect(first.y).toBeCloseTo(0.3, 12);
    expect(second.y).toBeCloseTo(0.7, 12);
    expect(first.low).toBe(0); // t of two seeds reaches far; no mAP is below 0
    expect(second.high).toBe(1);
    expect(more).toEqual([]);
    const [classifier] = points.filter(({ line }) => line === "softmax");
    expect(classifier).toMatchObject({ x: 100, y: 0.5 });
    expect(classifier.low).toBeUndefined();
    expect(points[0].tip).toBe("FaceNet, mean of 2 seeds: validation mAP 0.3 at 100 images seen");
  });

  it("leaves out a run without the requested quantity", () => {
    expect(costsOf(runs)).toEqual(["images", "steps", "triplets"]);
    const lines = curvePoints(runs, "triplets", "map", "mAP", names).map(({ line }) => line);
    expect(new Set(lines)).toEqual(new Set(["facenet"]));
  });

  it("knows an active share of those runs alone that take triplets or pairs", () => {
    expect(counting(runs).map(({ label }) => label)).toEqual(["facenet", "facenet"]);
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

describe("panels", () => {
  const run = (point: RunData["point"], map: number, protocol = "official"): RunData => ({
    label: Object.values(point).join(" · "),
    point: { ...point, seed: 1 },
    protocol,
    loss_name: String(point.loss),
    steps: [10],
    images: [100],
    loss: [1],
    active: [1],
    map: [map],
    collapsed: false,
  });
  const selectors = ["all", "hardest-negative", "random-negative", "semihard-negative"];
  const titles = (runs: RunData[]) =>
    panelsOf(runs, (name) => name.toUpperCase()).map(({ title, runs: own }) => [title, own.length]);

  it("holds the compared runs: a panel for each loss with several selectors, the codes, the others", () => {
    const runs = [
      ...selectors.map((selector) => run({ loss: "facenet", selector }, 0.8)),
      ...selectors.slice(0, 2).map((selector) => run({ loss: "hoffer-ailon", selector }, 0.7)),
      run({ loss: "softmax" }, 0.6),
      run({ loss: "dtsh", bits: 48 }, 0.8),
    ];
    expect(titles(runs)).toEqual([
      ["FACENET", 4],
      ["HOFFER-AILON", 2],
      ["Other losses", 1],
      ["Codes", 1],
    ]);
    expect(titles([run({ loss: "softmax" }, 0.6)])).toEqual([["All losses", 1]]);
  });

  it("has no more lines than one can tell apart: by length, then by rank, protocols apart", () => {
    const codes = ["a", "b", "c", "d", "e"].flatMap((loss) =>
      [12, 48].map((bits) => run({ loss, bits }, 0.5, bits === 12 ? "P1" : "P1")),
    );
    expect(titles(codes)).toEqual([
      ["Codes, 12 bits", 5],
      ["Codes, 48 bits", 5],
    ]);
    const many = Array.from({ length: 11 }, (_, at) => run({ loss: `l${at}` }, at / 11));
    expect(titles(many)).toEqual([
      ["All losses, rank 1 to 8", 8],
      ["All losses, rank 9 to 11", 3],
    ]);
    expect(panelsOf(many, String)[0].runs[0].label).toBe("l10");
    const eight = Array.from({ length: 8 }, (_, at) => run({ loss: "facenet", selector: `s${at}` }, 0.8));
    expect(titles([...eight, run({ loss: "facenet", selector: "s1", steps: 2000 }, 0.9)])).toEqual([
      ["FACENET", 8],
      ["FACENET, variants", 2],
    ]);
    expect(titles([run({ loss: "a" }, 1, "P1"), run({ loss: "b" }, 1, "P2")])).toEqual([
      ["All losses, P1", 1],
      ["All losses, P2", 1],
    ]);
  });

  it("leaves out of the names of lines what all of them begin with", () => {
    const groups = Object.fromEntries(
      ["FaceNet, semi-hard", "FaceNet, semi-hard, 2,000 steps", "FaceNet, all"].map((name, at) => [
        String(at),
        { name, colour: 0, round: 0 },
      ]),
    );
    expect([...lineNames(["0", "1", "2"], groups).values()]).toEqual([
      "semi-hard",
      "semi-hard, 2,000 steps",
      "all",
    ]);
    expect([...lineNames(["0"], groups).values()]).toEqual(["FaceNet, semi-hard"]);
    const codes = Object.fromEntries(
      ["DTSH, 12 bits, P1", "DTSH, wide, 12 bits, P1", "CSQ, 12 bits, P1"].map((name, at) => [
        String(at),
        { name, colour: 0, round: 0 },
      ]),
    );
    expect([...lineNames(["0", "1", "2"], codes).values()]).toEqual(["DTSH", "DTSH, wide", "CSQ"]);
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
