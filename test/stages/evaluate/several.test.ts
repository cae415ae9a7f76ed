/** Evaluation where images have several labels, and where the test set retrieves itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { numbers, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { packSigns, writeCodes } from "../../../stages/shared/artifacts/codes.ts";
import type { Metrics } from "../../../stages/shared/artifacts/metrics.ts";
import { readQueries } from "../../../stages/shared/artifacts/per-query.ts";
import { writeSplit } from "../../../stages/shared/artifacts/split.ts";
import { readVectors, writeVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../../run-stage.ts";
import { columnsOf, severalImages, writeSeveral, writeSeveralSplit } from "../several.ts";
import { scratch } from "../shared/scratch.ts";

const folder = scratch();
const several = severalImages(120, { noise: 0.5 });
const vectors = join(folder, "vectors.arrow");
const split = join(folder, "split.arrow");
const codes = join(folder, "codes.arrow");
writeSeveral(vectors, several);
writeSeveralSplit(split, several);
const read = readVectors(vectors);
writeCodes(codes, {
  ...columnsOf(several),
  values: packSigns(read.values, read.dim),
  rows: read.rows,
  bits: read.dim,
  classes: several.classes,
});
const [database, queries] = [several.lists.slice(0, 90), several.lists.slice(90)];

async function evaluate(
  stage: "evaluate" | "evaluate-codes",
  params: Record<string, unknown> = {},
  inputs: Record<string, string> = {},
) {
  const source: Record<string, string> = stage === "evaluate" ? { vectors } : { codes };
  const run = await runStage(stage, { params, inputs: { ...source, split, ...inputs } });
  const metrics: Metrics = JSON.parse(readFileSync(run.outputs.metrics, "utf8"));
  return { ...run, metrics };
}
const fault = async (...given: Parameters<typeof evaluate>): Promise<string> => {
  const error = await evaluate(...given).then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).not.toContain("\n");
  return error.message;
};

/** Distances of a query (by its row) to the database. */
const euclidean = (query: number) =>
  database.map((_, item) => {
    let sum = 0;
    for (let d = 0; d < read.dim; d++)
      sum += (read.values[query * read.dim + d] - read.values[item * read.dim + d]) ** 2;
    return sum;
  });
const hamming = (query: number) =>
  database.map((_, item) => {
    let sum = 0;
    for (let d = 0; d < read.dim; d++)
      sum += Number(read.values[query * read.dim + d] > 0 !== read.values[item * read.dim + d] > 0);
    return sum;
  });
const common = (a: number[], b: number[]) => a.filter((label) => b.includes(label)).length;

/** The mean over queries of a metric of the gains in order of distance, a mean over random orders of the ties. */
function meanOf(distances: (query: number) => number[], metric: (gains: number[]) => number, orders = 1) {
  let sum = 0;
  for (const [i, own] of queries.entries()) {
    const far = distances(90 + i);
    for (let order = 0; order < orders; order++) {
      // Each order of a tie comes up as often: the items are turned round by as many places.
      const turn = Math.floor((order * 90) / orders);
      const items = [...far.keys()].map((item) => (item + turn) % 90);
      items.sort((a, b) => far[a] - far[b]);
      sum += metric(items.map((item) => common(own, database[item]))) / orders;
    }
  }
  return sum / queries.length;
}
const precision = (k: number) => (gains: number[]) => gains.slice(0, k).filter(Boolean).length / k;
const acg = (k: number) => (gains: number[]) => gains.slice(0, k).reduce((sum, gain) => sum + gain, 0) / k;
const map = (gains: number[]) => {
  const at = gains.flatMap((gain, i) => (gain ? [precision(i + 1)(gains)] : []));
  return at.reduce((sum, value) => sum + value, 0) / at.length;
};
const wap = (gains: number[]) => {
  const at = gains.flatMap((gain, i) => (gain ? [acg(i + 1)(gains)] : []));
  return at.reduce((sum, value) => sum + value, 0) / at.length;
};
const ndcg = (k: number) => (gains: number[]) => {
  const dcg = (order: number[]) =>
    order.slice(0, k).reduce((sum, gain, i) => sum + (2 ** gain - 1) / Math.log2(i + 2), 0);
  return dcg(gains) / dcg(gains.toSorted((a, b) => b - a));
};

describe("evaluate on several labels", () => {
  it("takes images as relevant that share a label, and counts how many they share", async () => {
    const { metrics, outputs } = await evaluate("evaluate", {
      graded_at: [10],
      map_at: [20],
      metrics: ["mrr"],
    });
    const value = (name: string) => metrics.metrics[name].value;
    expect(value("map")).toBeCloseTo(meanOf(euclidean, map), 5);
    expect(value("precision@10")).toBeCloseTo(meanOf(euclidean, precision(10)), 5);
    expect(value("acg@10")).toBeCloseTo(meanOf(euclidean, acg(10)), 5);
    expect(value("ndcg@10")).toBeCloseTo(meanOf(euclidean, ndcg(10)), 5);
    expect(value("ndcg@100")).toBeCloseTo(meanOf(euclidean, ndcg(100)), 5);
    expect(value("wap")).toBeCloseTo(meanOf(euclidean, wap), 5);
    const inside = (gains: number[]) => map(gains.slice(0, 20));
    expect(value("map@20")).toBeCloseTo(meanOf(euclidean, inside), 5);
    expect(value("mrr")).toBeCloseTo(
      meanOf(euclidean, (gains) => 1 / (1 + gains.findIndex(Boolean))),
      5,
    );
    // Per-query files hold all labels.
    const perQuery = readQueries({ path: outputs["per-query"], id: "x", point: {}, hash: "" });
    const right = perQuery.columns.knn_accuracy.reduce((sum, own) => sum + own, 0) / queries.length;
    expect(value("knn_accuracy")).toBeCloseTo(right, 6);
  });

  it("gives F1 over all labels, their mean, and that of each", async () => {
    const { metrics } = await evaluate("evaluate", { ks: [3] });
    const counts = several.classes.map(() => ({ right: 0, wrong: 0, missed: 0 }));
    for (const [i, own] of queries.entries()) {
      const far = euclidean(90 + i);
      const near = [...far.keys()].sort((a, b) => far[a] - far[b]).slice(0, 3);
      for (const [label, count] of counts.entries()) {
        const said = near.filter((item) => database[item].includes(label)).length > 1.5;
        if (said && own.includes(label)) count.right++;
        else if (said) count.wrong++;
        else if (own.includes(label)) count.missed++;
      }
    }
    const f1 = ({ right, wrong, missed }: (typeof counts)[0]) => (2 * right) / (2 * right + wrong + missed);
    const all = counts.reduce((sum, one) => ({
      right: sum.right + one.right,
      wrong: sum.wrong + one.wrong,
      missed: sum.missed + one.missed,
    }));
    const { f1_micro, f1_macro } = metrics.metrics;
    expect(f1_micro.value).toBeCloseTo(f1(all), 5);
    expect(f1_macro.value).toBeCloseTo(counts.reduce((sum, one) => sum + f1(one), 0) / counts.length, 5);
    expect(f1_micro.low).toBeLessThan(f1_micro.value);
    expect(f1_micro.high).toBeGreaterThan(f1_micro.value);
    expect(metrics.classes.a.f1).toBeCloseTo(f1(counts[0]), 5);
  });

  it("does the same for codes, over all orders of ties", async () => {
    const { metrics } = await evaluate("evaluate-codes", { graded_at: [10] });
    const value = (name: string) => metrics.metrics[name].value;
    // Turning the items round by each place is not every order, but near it.
    expect(value("map")).toBeCloseTo(meanOf(hamming, map, 90), 2);
    expect(value("acg@10")).toBeCloseTo(meanOf(hamming, acg(10), 90), 2);
    expect(value("ndcg@10")).toBeCloseTo(meanOf(hamming, ndcg(10), 90), 2);
    expect(value("wap")).toBeCloseTo(meanOf(hamming, wap, 90), 2);
    expect(value("f1_micro")).toBeGreaterThan(0.5);
    expect(
      numbers<Float32Array>(
        readTable((await evaluate("evaluate-codes")).outputs.curve, "curve"),
        "recall",
      ).at(-1),
    ).toBe(1);
  });

  it("refuses labels that leave nothing to find, or nothing to miss, a k beyond the database, and clusters", async () => {
    const other = join(folder, "other.arrow");
    writeSeveral(other, { ...several, lists: several.lists.map((_, row) => (row % 2 ? [0, 1] : [0, 2])) });
    expect(await fault("evaluate", {}, { vectors: other })).toMatch(
      /^evaluate: every query shares a label with every image searched, so every ranking is perfect/,
    );
    writeSeveral(other, { ...several, lists: several.lists.map((_, row) => (row < 90 ? [0, 1] : [2, 3])) });
    expect(await fault("evaluate", {}, { vectors: other })).toMatch(
      /^evaluate: no query shares a label with one of the 90 images searched, so there is nothing to find/,
    );
    for (const param of ["at", "map_at", "graded_at"])
      expect(await fault("evaluate-codes", { [param]: [5, 91] })).toBe(
        `evaluate-codes: ${param} asks for the first 91 images, but only 90 are searched. Take 90 or fewer.`,
      );
    expect(await fault("evaluate", { metrics: ["nmi"] })).toMatch(
      /several labels each. Take them out of metrics/,
    );
  });
});

describe("the protocol self", () => {
  // On a line: a a b a | b b. Each query is left out of its own ranking.
  const places = [0, 1, 2, 4, 7, 8];
  const labels = Uint16Array.of(0, 0, 1, 0, 1, 1);
  const images = 18;
  const ids = Uint32Array.from({ length: images }, (_, row) => row);
  const own = join(folder, "self.arrow");
  const line = join(folder, "line.arrow");
  const bits = join(folder, "line-codes.arrow");
  const all = Uint16Array.from({ length: images }, (_, row) => labels[row % 6] + 2 * Math.floor(row / 6));
  const role = (from: number) =>
    Uint8Array.from({ length: images }, (_, row) => Number(Math.floor(row / 6) === from));
  const classes = ["a", "b", "c", "d", "e", "f"];
  writeSplit(own, {
    ids,
    labels: all,
    train: role(0),
    validation: role(1),
    query: role(2),
    database: role(2),
    protocol: "self",
    seed: 1,
  });
  writeVectors(
    line,
    { ids, labels: all, vector: Float32Array.from(ids, (row) => places[row % 6]), dim: 1 },
    { classes },
  );
  // As far apart as the places: a thermometer of 8 bits.
  writeCodes(bits, {
    ids,
    labels: all,
    values: Uint8Array.from(ids, (row) => 2 ** places[row % 6] - 1),
    rows: images,
    bits: 8,
    classes,
  });

  it.each([
    "evaluate",
    "evaluate-codes",
  ] as const)("leaves each query out of its own ranking: %s", async (stage) => {
    const input: Record<string, string> = stage === "evaluate" ? { vectors: line } : { codes: bits };
    const { metrics } = await evaluate(stage, { ks: [1], at: [2, 4] }, { ...input, split: own });
    expect([metrics.queries, metrics.database, metrics.protocol]).toEqual([6, 6, "self"]);
    // Others by distance: 0: 1 2 4 7 8 -> a b a b b. 1: (0 2) 4 7 8 -> (a b) a b b. 2: 1 (0 4) 7 8 -> a (a a) b b.
    // 4: 2 1 (0 7)... = b a (a at 4, b at 3): 7 first -> b(2) [2: 2, 1: 3, 7: 3, 0: 4, 8: 4]. 7: 8 4 2 1 0. 8: 7 4 2 1 0.
    const at1 = [1, 1 / 2, 0, 0, 1, 1];
    const at2 = [1, 1, 0, 1 / 2, 1, 1];
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(metrics.metrics["recall@1"].value).toBeCloseTo(mean(at1), 5);
    expect(metrics.metrics["precision@1"].value).toBeCloseTo(mean(at1), 5);
    expect(metrics.metrics["recall@2"].value).toBeCloseTo(mean(at2), 5);
    expect(metrics.metrics["recall@4"].value).toBeCloseTo(1, 5);
    // R is 2 for all: MAP@R by hand. 0: 1/2 (1 + 0). 1: a b gives 1/2, b a gives 1/4. 4: b, then a or b: half of 1/4.
    const mapAtR = [1 / 2, 3 / 8, 0, 1 / 8, 1 / 2, 1 / 2];
    expect(metrics.metrics.map_at_r.value).toBeCloseTo(mean(mapAtR), 5);
  });

  it("counts k against the images left", async () => {
    expect(await fault("evaluate", { at: [6] }, { vectors: line, split: own })).toMatch(
      /only 5 are searched/,
    );
  });
});
