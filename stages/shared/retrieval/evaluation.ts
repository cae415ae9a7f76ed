/** What every evaluation does with what was found of its queries: choose k, state intervals, write the files. */
import { writeFileSync } from "node:fs";
import { Float32, Uint16, Uint32 } from "apache-arrow";
import type { Metrics } from "../artifacts/metrics.ts";
import { checkJson } from "../artifacts/schema.ts";
import { writeTable } from "../artifacts/tables.ts";
import { random } from "../compute/random.ts";
import { estimates } from "../statistics/bootstrap.ts";

/** Ranks at which precision and recall are told. */
export const AT = [1, 10, 100];

/** What is found of each query, in memory that threads share. */
export interface Found {
  /** `[queries, ks]`: the class that k nearest neighbours vote for, for each k. */
  predictions: Uint16Array;
  /** `[queries]`, empty where only predictions were asked for. */
  averagePrecision: Float64Array;
  rPrecision: Float64Array;
  mapAtR: Float64Array;
  /** `[queries, at]` */
  precisionAt: Float64Array;
  recallAt: Float64Array;
}

/** Six decimals: more would only show how the sum was rounded. */
export const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/**
 * The number of neighbours whose votes were right most often; of equally good ones the first.
 * @param predictions `[queries, ks]`, of validation images alone
 */
export function chooseK(ks: number[], predictions: Uint16Array, labels: Uint16Array) {
  const right = ks.map((_, index) =>
    labels.reduce((sum, label, i) => sum + (predictions[i * ks.length + index] === label ? 1 : 0), 0),
  );
  const k = ks[right.indexOf(Math.max(...right))];
  return { k, why: `k = ${k}: ${right.map((count, index) => `${ks[index]}: ${count}`).join(", ")} right` };
}

/** The columns of metrics that every evaluation has, `[queries]` each, by the names that they have in the file. */
export function columnsOf(found: Found, labels: Uint16Array): Record<string, Float64Array> {
  const column = (values: Float64Array, index: number) =>
    Float64Array.from(labels, (_, i) => values[i * AT.length + index]);
  return {
    map: found.averagePrecision,
    knn_accuracy: Float64Array.from(found.predictions, (label, i) => (label === labels[i] ? 1 : 0)),
    ...Object.fromEntries(AT.map((at, i) => [`precision@${at}`, column(found.precisionAt, i)])),
    ...Object.fromEntries(AT.map((at, i) => [`recall@${at}`, column(found.recallAt, i)])),
    r_precision: found.rPrecision,
    map_at_r: found.mapAtR,
  };
}

/**
 * Writes the artifacts `metrics` and `per-query`.
 * @param queries `[queries]` each: ids, labels, and the class that their neighbours voted for
 * @param columns see {@link columnsOf}
 * @param facts what stands in `metrics` beside the numbers
 * @param seed of the bootstrap
 */
export function writeEvaluation(
  paths: { metrics: string; perQuery: string },
  queries: { ids: Uint32Array; labels: Uint16Array; predictions: Uint16Array },
  columns: Record<string, Float64Array>,
  facts: Omit<Metrics, "queries" | "metrics" | "classes">,
  classes: string[],
  seed: number,
): void {
  const { ids, labels, predictions } = queries;
  const means = estimates(Object.values(columns), random(seed, "bootstrap"));
  const ofClass = (values: Float64Array, label: number) => {
    const own = values.filter((_, i) => labels[i] === label);
    return rounded(own.reduce((sum, value) => sum + value, 0) / own.length);
  };
  const { protocol, representation, made, distance, dim, k, database, bits } = facts;
  const metrics: Metrics = {
    protocol,
    representation,
    made,
    distance,
    dim,
    k,
    queries: labels.length,
    database,
    metrics: Object.fromEntries(
      Object.keys(columns).map((name, index) => {
        const { value, low, high } = means[index];
        return [name, { value: rounded(value), low: rounded(low), high: rounded(high) }];
      }),
    ),
    ...(bits ? { bits } : {}),
    classes: Object.fromEntries(
      classes.flatMap((name, label) =>
        labels.includes(label)
          ? [[name, { map: ofClass(columns.map, label), knn_accuracy: ofClass(columns.knn_accuracy, label) }]]
          : [],
      ),
    ),
  };
  checkJson(metrics, "metrics", paths.metrics);
  writeFileSync(paths.metrics, `${JSON.stringify(metrics, null, 2)}\n`);
  writeTable(
    paths.perQuery,
    "per-query",
    {
      id: new Uint32(),
      label: new Uint16(),
      prediction: new Uint16(),
      average_precision: new Float32(),
      precision_at_10: new Float32(),
      r_precision: new Float32(),
      map_at_r: new Float32(),
    },
    labels.length,
    {
      id: ids,
      label: labels.slice(),
      prediction: predictions.slice(),
      average_precision: Float32Array.from(columns.map),
      precision_at_10: Float32Array.from(columns["precision@10"]),
      r_precision: Float32Array.from(columns.r_precision),
      map_at_r: Float32Array.from(columns.map_at_r),
    },
    { protocol, k, classes },
  );
}
