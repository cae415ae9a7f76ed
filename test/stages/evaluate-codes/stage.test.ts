import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type * as Retrieval from "../../../stages/evaluate-codes/retrieval.ts";
import { numbers, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { bytesOf, readCodes, writeCodes } from "../../../stages/shared/artifacts/codes.ts";
import { readEvaluations } from "../../../stages/shared/artifacts/metrics.ts";
import { readJson } from "../../../stages/shared/artifacts/schema.ts";
import { Ranking } from "../../../stages/shared/retrieval/ranking.ts";
import { runStage } from "../../run-stage.ts";
import { blobRoles, onOneAndTwoThreads } from "../evaluation.ts";
import { plainDistances } from "../shared/retrieval/hamming/helpers.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobSplit } from "../vectors.ts";
import { writeBlobCodes } from "./codes.ts";

const blobs = { classes: 4, perClass: 40, dim: 11, noise: 1 };
const folder = scratch();
const codes = join(folder, "codes.arrow");
const split = join(folder, "split.arrow");
writeBlobCodes(codes, blobs);
writeBlobSplit(split, blobs);

const evaluate = async (params: object = {}, path = codes) => {
  const { outputs, notes } = await runStage("evaluate-codes", {
    params: { ks: [1, 3, 7], ...params },
    inputs: { codes: path, split },
    cpus: 1,
  });
  return { outputs, notes, metrics: JSON.parse(readFileSync(outputs.metrics, "utf8")) };
};

const { all, train, validation, queries, database } = blobRoles(blobs);
const { values, labels } = readCodes(codes);
const bytes = bytesOf(blobs.dim);
const code = (row: number) => values.subarray(row * bytes, (row + 1) * bytes);
/** Distances of the code of one row to those of others. */
const far = (query: number, rows: number[]) =>
  plainDistances(Uint8Array.from(rows.flatMap((row) => [...code(row)])), code(query));
const mean = (numbers: number[]) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

describe("evaluate-codes", () => {
  it("agrees with a ranking by distance", async () => {
    const { metrics, outputs, notes } = await evaluate();
    const ranking = new Ranking(
      Uint16Array.from(database, (row) => labels[row]),
      4,
    );
    const expected = queries.map((row) =>
      ranking.metrics(Float32Array.from(far(row, database)), labels[row], [1, 10, 100]),
    );
    const value = (name: string) => metrics.metrics[name].value;
    expect(value("map")).toBeCloseTo(mean(expected.map((own) => own.map)), 5);
    expect(notes.result).toBe(`mAP ${value("map").toFixed(3)}`);
    expect(value("r_precision")).toBeCloseTo(mean(expected.map((own) => own.r_precision)), 5);
    expect(value("map_at_r")).toBeCloseTo(mean(expected.map((own) => own.map_at_r)), 5);
    for (const [i, at] of [1, 10, 100].entries()) {
      expect(value(`precision@${at}`)).toBeCloseTo(mean(expected.map((own) => own.precisionAt[i])), 5);
      expect(value(`recall@${at}`)).toBeCloseTo(mean(expected.map((own) => own.recallAt[i])), 5);
    }
    expect(value("map_worst")).toBeLessThan(value("map"));
    expect(value("map_best")).toBeGreaterThan(value("map"));
    const near = queries.map((row) => {
      const own = database.filter((_, i) => far(row, database)[i] <= 2);
      return own.length ? own.filter((item) => labels[item] === labels[row]).length / own.length : 0;
    });
    expect(value("precision_radius_2")).toBeCloseTo(mean(near), 5);
    const perQuery = readTable(outputs["per-query"], "per-query");
    const found = numbers<Float32Array>(perQuery, "map");
    for (const [i, own] of expected.entries()) expect(found[i]).toBeCloseTo(own.map, 6);
    expect([...numbers(perQuery, "id")]).toEqual(queries.map((row) => 100 + row));
    expect(metrics).toMatchObject({
      protocol: "official",
      representation: "code",
      distance: "hamming",
      dim: 11,
      queries: 40,
      database: 120,
    });
    expect(notes.engine).toBe("wasm-simd");
  });

  it("chooses k on the validation images, never on the queries", async () => {
    // The nearer codes have one vote each, those at the last distance a share of the remaining votes.
    const right = (asked: number[], items: number[], k: number) =>
      asked.filter((row) => {
        const distances = far(row, items);
        const last = [...distances].sort((a, b) => a - b)[k - 1];
        const nearer = distances.filter((own) => own < last).length;
        const ties = distances.filter((own) => own === last).length;
        const votes = [0, 0, 0, 0];
        for (const [i, own] of distances.entries())
          if (own <= last) votes[labels[items[i]]] += own < last ? ties : k - nearer;
        return votes.indexOf(Math.max(...votes)) === labels[row];
      }).length;
    const counts = [1, 7].map((k) => right(validation, train, k));
    expect(counts[0]).not.toBe(counts[1]); // else this test could not fail
    const { metrics } = await evaluate({ ks: [1, 7] });
    expect(metrics.k).toBe(counts[0] > counts[1] ? 1 : 7);
    expect(metrics.metrics.knn_accuracy.value).toBeCloseTo(right(queries, database, metrics.k) / 40, 6);
  });

  it("writes precision and recall by radius", async () => {
    const { outputs } = await evaluate();
    const table = readTable(outputs.curve, "curve");
    expect(table.numRows).toBe(12);
    for (let radius = 0; radius <= 11; radius++) {
      const within = queries.map((row) => {
        const distances = far(row, database);
        const items = database.filter((_, i) => distances[i] <= radius);
        return { items: items.length, hits: items.filter((item) => labels[item] === labels[row]).length };
      });
      const expected = {
        radius,
        precision: mean(within.map(({ items, hits }) => (items ? hits / items : 0))),
        recall: mean(within.map(({ hits }) => hits / 30)),
        retrieved: mean(within.map(({ items }) => items)),
        empty: mean(within.map(({ items }) => (items ? 0 : 1))),
      };
      for (const [name, value] of Object.entries(expected))
        expect(numbers<Float32Array>(table, name)[radius], name).toBeCloseTo(value, 5);
    }
  });

  it("gives the same bytes twice, but for what a clock says", async () => {
    const [once, again] = [await evaluate(), await evaluate()];
    for (const name of ["metrics", "per-query", "curve"])
      expect(readFileSync(again.outputs[name]).equals(readFileSync(once.outputs[name]))).toBe(true);
    expect(readJson(once.outputs.timings, "search-timings")).toMatchObject({ bits: 11, bytes: 2, k: 100 });
  });

  it("gives codes that are all the same chance, and no gift by the order of the file", async () => {
    const path = join(folder, "same.arrow");
    writeCodes(path, { ...readCodes(codes), values: new Uint8Array(values.length).fill(1) });
    const { metrics } = await evaluate({}, path);
    for (const name of ["precision@1", "precision@10", "r_precision", "precision_radius_2"])
      expect(metrics.metrics[name].value).toBeCloseTo(0.25, 6);
    expect(metrics.bits).toEqual({
      balance: { mean: 0.5, worst: 0.5 },
      dead: 11,
      correlation: { mean: 0, largest: 0 },
      distinct: 1,
      bytes: 2,
    });
  });

  it("is read by reports under the name of what made the codes", async () => {
    const { outputs } = await evaluate();
    const run = { path: outputs.metrics, id: "evaluate-codes[…]", hash: "" };
    const point = { loss: "dtsh", bits: 11, seed: 1 };
    const [{ label, representation }] = readEvaluations([{ ...run, point }]);
    expect([label, representation]).toEqual(["dtsh · bits 11", "code"]);
  });

  it("says when the codes are of other images", async () => {
    const path = join(folder, "others.arrow");
    const read = readCodes(codes);
    writeCodes(path, { ...read, ids: read.ids.map((id) => id + 1000) });
    await expect(evaluate({}, path)).rejects.toThrow(/image 100 of the split's "train" is not there/);
  });
});

it("finds the same on one thread and on two, to the last bit", async () => {
  const read = readCodes(codes);
  const [one, two] = await onOneAndTwoThreads(
    "stages/evaluate-codes/retrieval.ts",
    ({ rankCodes, takeRows }: typeof Retrieval, options) => {
      const how = { bits: 11, classes: 4, ks: [1, 5], at: [1, 10], ...options };
      return rankCodes(
        takeRows(read, Uint32Array.from(all)),
        takeRows(read, Uint32Array.from(database)),
        how,
      );
    },
  );
  expect(two).toEqual(one);
  expect(one.columns.map.every((value) => value > 0)).toBe(true);
});
