/** Retrieval metrics against scikit-learn and numpy, and the tie-aware expectation in closed form. */
import { describe, expect, test } from "vitest";
import { packSigns } from "../../stages/shared/artifacts/codes.ts";
import { Counts } from "../../stages/shared/retrieval/hamming/counts.ts";
import { metricsOfCounts } from "../../stages/shared/retrieval/hamming/metrics.ts";
import { Ranking } from "../../stages/shared/retrieval/ranking.ts";
import reference from "./retrieval-metrics.json" with { type: "json" };

const AT = [1, 5, 10];
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each(reference.cases.map((values, index) => ({ index, ...values })))("case $index", (values) => {
  const { database, queries, database_labels: labels, query_labels: wanted } = values;
  const metricsOf = (distances: number[], of: number[], label: number) =>
    new Ranking(Uint16Array.from(of), 10).metrics(Float32Array.from(distances), label, AT);
  const euclidean = queries.map((query) =>
    database.map((row) => row.reduce((sum, x, k) => sum + (x - query[k]) ** 2, 0)),
  );
  const metrics = euclidean.map((distances, q) => metricsOf(distances, labels, wanted[q]));

  test("average precision, R-precision, MAP@R and precision@k of the euclidean ranking", () => {
    const expected = values.euclidean;
    for (const [q, value] of expected.average_precision.entries())
      expect(metrics[q].map).toBeCloseTo(value, 6);
    expect(mean(metrics.map((m) => m.map))).toBeCloseTo(expected.mAP, 6);
    expect(mean(metrics.map((m) => m.r_precision))).toBeCloseTo(expected.r_precision, 6);
    expect(mean(metrics.map((m) => m.map_at_r))).toBeCloseTo(expected.map_at_r, 6);
    for (const [index, k] of AT.entries())
      expect(mean(metrics.map((m) => m.precisionAt[index]))).toBeCloseTo(
        expected.precision_at[String(k) as "1" | "5" | "10"],
        6,
      );
  });

  test("accuracy of the k nearest", () => {
    const ranking = new Ranking(Uint16Array.from(labels), 10);
    for (const [k, value] of Object.entries(values.euclidean.knn_accuracy)) {
      const right = euclidean.map((distances, q) =>
        Number(ranking.vote(ranking.nearest(Float32Array.from(distances), Number(k))) === wanted[q]),
      );
      expect(mean(right)).toBeCloseTo(value, 6);
    }
  });

  test("average precision of the Hamming ranking, expected over all orders of ties", () => {
    const expected = values.hamming;
    const found = values.query_bits.map((query, q) => {
      const distances = values.database_bits.map((bits) =>
        [...bits].reduce((count, bit, k) => count + Number(bit !== query[k]), 0),
      );
      return metricsOf(distances, labels, wanted[q]).map;
    });
    for (const [q, value] of expected.tie_aware_average_precision.entries())
      expect(found[q]).toBeCloseTo(value, 6);
    expect(mean(found)).toBeCloseTo(expected.tie_aware_mAP, 6);
  });

  test("average precision of packed codes, counted by distance", () => {
    const { tie_aware_average_precision: expected, tie_aware_mAP: map } = values.hamming;
    const bits = values.query_bits[0].length;
    const pack = (rows: string[]) =>
      packSigns(
        Float32Array.from(rows.join(""), (bit) => Number(bit)),
        bits,
      );
    const counts = new Counts(pack(values.database_bits), bits, Uint16Array.from(labels), 10);
    const found = values.query_bits.map((query, q) => {
      counts.count(pack([query]));
      return metricsOfCounts(counts.all, counts.relevant(wanted[q]), AT);
    });
    for (const [q, value] of expected.entries()) {
      expect(found[q].map).toBeCloseTo(value, 6);
      expect(found[q].map_worst).toBeLessThan(value);
      expect(found[q].map_best).toBeGreaterThan(value);
    }
    expect(mean(found.map(({ map }) => map))).toBeCloseTo(map, 6);
  });

  test("the order of the database changes nothing", () => {
    const order = database.map((_, i) => i).reverse();
    const turned = values.query_bits.map((query, q) => {
      const distances = order.map((i) =>
        [...values.database_bits[i]].reduce((count, bit, k) => count + Number(bit !== query[k]), 0),
      );
      return metricsOf(
        distances,
        order.map((i) => labels[i]),
        wanted[q],
      ).map;
    });
    for (const [q, value] of values.hamming.tie_aware_average_precision.entries())
      expect(turned[q]).toBeCloseTo(value, 6);
  });
});
