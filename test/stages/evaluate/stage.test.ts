import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { numbers, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { readVectors, writeVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../../run-stage.ts";
import { blobRoles } from "../evaluation.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const blobs = { classes: 4, perClass: 40, dim: 8, noise: 1 };
const folder = mkdtempSync(join(tmpdir(), "deephash-evaluate-"));
const vectors = join(folder, "vectors.arrow");
const split = join(folder, "split.arrow");
writeBlobs(vectors, blobs);
writeBlobSplit(split, blobs);

const evaluate = async (params: object = {}, path = vectors) => {
  const { outputs } = await runStage("evaluate", {
    params: { ks: [1, 3, 7], ...params },
    inputs: { vectors: path, split },
    cpus: 1,
  });
  return { outputs, metrics: JSON.parse(readFileSync(outputs.metrics, "utf8")) };
};

/** The metrics again, by sorting plainly. */
function plainly(distance: "euclidean" | "cosine" | "centred-cosine") {
  const { values, labels, dim } = readVectors(vectors);
  const { train, validation, queries, database } = blobRoles(blobs);
  const mean = Array.from({ length: dim }, (_, d) =>
    distance === "centred-cosine"
      ? train.reduce((sum, row) => sum + values[row * dim + d], 0) / train.length
      : 0,
  );
  const vector = (row: number) => Array.from({ length: dim }, (_, d) => values[row * dim + d] - mean[d]);
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d], 0);
  const far = (a: number[], b: number[]) =>
    distance === "euclidean"
      ? dot(a, a) + dot(b, b) - 2 * dot(a, b)
      : -dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const ranking = (query: number, items: number[]) =>
    items
      .map((item) => ({ item, distance: far(vector(query), vector(item)) }))
      .sort((a, b) => a.distance - b.distance)
      .map(({ item }) => labels[item]);
  const vote = (ranked: number[], k: number) => {
    const counts = [0, 0, 0, 0];
    for (const label of ranked.slice(0, k)) counts[label]++;
    return counts;
  };
  const accuracy = (asked: number[], items: number[], k: number) =>
    asked.filter((query) => {
      const counts = vote(ranking(query, items), k);
      const most = Math.max(...counts);
      return counts[labels[query]] === most && counts.filter((count) => count === most).length === 1;
    }).length / asked.length;
  const aps = queries.map((query) => {
    let hits = 0;
    let sum = 0;
    for (const [place, label] of ranking(query, database).entries())
      if (label === labels[query]) sum += ++hits / (place + 1);
    return sum / hits;
  });
  return {
    aps,
    map: aps.reduce((sum, ap) => sum + ap, 0) / aps.length,
    accuracy,
    validation,
    train,
    queries,
    database,
  };
}

describe("evaluate", () => {
  it.each([
    "euclidean",
    "cosine",
    "centred-cosine",
  ] as const)("agrees with a plain sort (%s)", async (distance) => {
    const { metrics, outputs } = await evaluate({ distance });
    const plain = plainly(distance);
    expect(metrics.metrics.map.value).toBeCloseTo(plain.map, 5);
    const perQuery = numbers<Float32Array>(readTable(outputs["per-query"], "per-query"), "map");
    for (const [query, ap] of plain.aps.entries()) expect(perQuery[query]).toBeCloseTo(ap, 5);
    expect(metrics).toMatchObject({ protocol: "official", queries: 40, database: 120, dim: 8, distance });
    expect(metrics.representation).toBe("features");
  });

  it("chooses k on the validation images, never on the queries", async () => {
    const { metrics } = await evaluate({ ks: [1, 7] });
    const plain = plainly("euclidean");
    const right = [1, 7].map((k) => plain.accuracy(plain.validation, plain.train, k));
    expect(right[0]).not.toBe(right[1]); // else this test could not fail
    expect(metrics.k).toBe(right[0] > right[1] ? 1 : 7);
    expect(metrics.metrics.knn_accuracy.value).toBeGreaterThanOrEqual(
      plain.accuracy(plain.queries, plain.database, metrics.k),
    );
  });

  it("gives a collapsed embedding chance, and no gift by the order of the file", async () => {
    const path = join(folder, "collapsed.arrow");
    const { ids, labels, classes, rows } = readVectors(vectors);
    writeVectors(path, { ids, labels, vector: new Float32Array(2 * rows).fill(0.5), dim: 2 }, { classes });
    const { metrics } = await evaluate({}, path);
    for (const name of ["precision@1", "precision@10", "r_precision"])
      expect(metrics.metrics[name].value).toBeCloseTo(0.25, 6);
    for (const values of Object.values(metrics.classes) as { map: number }[])
      expect(values.map).toBeCloseTo(metrics.metrics.map.value, 6);
  });

  it("states intervals that hold the value, and the same bytes twice", async () => {
    const { metrics, outputs } = await evaluate();
    for (const { value, low, high } of Object.values(metrics.metrics) as Record<string, number>[]) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
    const again = await evaluate();
    for (const name of ["metrics", "per-query"])
      expect(readFileSync(again.outputs[name]).equals(readFileSync(outputs[name]))).toBe(true);
  });

  it("adds the requested metrics, and changes nothing else", async () => {
    const plain = await evaluate({});
    const more = await evaluate({ at: [2], map_at: [5], metrics: ["mrr", "ami"] });
    const added = ["map@5", "map@5_min_r", "mrr", "precision@2", "recall@2"];
    const names = Object.keys(more.metrics.metrics);
    expect(names.filter((name) => !(name in plain.metrics.metrics)).sort()).toEqual(added);
    for (const [name, value] of Object.entries(plain.metrics.metrics))
      expect((more.metrics.metrics[name] as { value: number }).value).toBe(
        (value as { value: number }).value,
      );
    expect(plain.metrics.clustering).toBeUndefined();
    const { clusters, nmi, ami } = more.metrics.clustering;
    expect(clusters).toBe(4);
    expect(nmi).toBeGreaterThan(ami);
    expect(more.metrics.metrics.mrr.value).toBeGreaterThanOrEqual(more.metrics.metrics["precision@1"].value);
  });
});
