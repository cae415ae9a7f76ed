/** evaluate: how well vectors classify (kNN) and retrieve (mAP and its kin), under the split's protocol. */
import { writeFileSync } from "node:fs";
import { Float32, Uint16, Uint32 } from "apache-arrow";
import { defineStage } from "../../runner/stage.ts";
import { checkJson } from "../shared/artifacts.ts";
import { random } from "../shared/random.ts";
import { type Roles, readSplit, rowsOf } from "../shared/splits.ts";
import { readVectors, writeTable } from "../shared/tables.ts";
import { estimates } from "./bootstrap.ts";
import { rankAll, takeRows } from "./neighbours.ts";

interface Params {
  distance: "euclidean" | "cosine" | "centred-cosine";
  ks: number[];
  seed: number;
}

/** Ranks at which precision and recall are told. */
const AT = [1, 10, 100];

/** Six decimals: more would only show how the sum was rounded. */
const rounded = (value: number) => Math.round(value * 1e6) / 1e6;

/** The mean of some rows, `[dim]`. */
function meanOf(values: Float32Array, rows: Uint32Array, dim: number): Float32Array {
  const sums = new Float64Array(dim);
  for (const row of rows) for (let d = 0; d < dim; d++) sums[d] += values[row * dim + d];
  return Float32Array.from(sums, (sum) => sum / rows.length);
}

export default defineStage<Params>({
  params: "evaluate",
  inputs: { vectors: "vectors", split: "split" },
  outputs: { metrics: "metrics.json", "per-query": "per-query.arrow" },
  cpus: "all",
  async run({ params, inputs, outputs, cpus, progress, note, log, signal }) {
    const vectors = readVectors(inputs.vectors);
    const split = readSplit(inputs.split);
    const rows = (role: keyof Roles) => rowsOf(split, role, vectors.ids, inputs.vectors);
    const centre =
      params.distance === "centred-cosine" ? meanOf(vectors.values, rows("train"), vectors.dim) : undefined;
    const take = (role: keyof Roles) =>
      takeRows(vectors, rows(role), centre, params.distance !== "euclidean");
    const [train, validation, query, database] = [
      take("train"),
      take("validation"),
      take("query"),
      take("database"),
    ];
    const queryIds = Uint32Array.from(rows("query"), (row) => vectors.ids[row]);
    const { dim, classes } = vectors;
    const total = validation.labels.length + query.labels.length;
    const common = {
      dim,
      classes: classes.length,
      ks: params.ks,
      threads: cpus,
      url: import.meta.url,
      signal,
    };

    // k is chosen on validation images alone; the queries are asked once it stands.
    const trial = await rankAll(validation, train, {
      ...common,
      at: "predictions only",
      onProgress: (done) => progress(done, total, "queries"),
    });
    const right = params.ks.map((_, index) =>
      validation.labels.reduce(
        (sum, label, i) => sum + (trial.predictions[i * params.ks.length + index] === label ? 1 : 0),
        0,
      ),
    );
    const k = params.ks[right.indexOf(Math.max(...right))];
    log(`k = ${k}: ${right.map((count, index) => `${params.ks[index]}: ${count}`).join(", ")} right`);

    const began = performance.now();
    const found = await rankAll(query, database, {
      ...common,
      ks: [k],
      at: AT,
      onProgress: (done) => progress(validation.labels.length + done, total, "queries"),
    });
    note("queries_per_second", Math.round((query.labels.length * 1000) / (performance.now() - began)));

    const queries = query.labels.length;
    const correct = Float64Array.from(found.predictions, (label, i) => (label === query.labels[i] ? 1 : 0));
    const column = (values: Float64Array, index: number) =>
      Float64Array.from({ length: queries }, (_, i) => values[i * AT.length + index]);
    const columns: Record<string, Float64Array> = {
      map: found.averagePrecision,
      knn_accuracy: correct,
      ...Object.fromEntries(AT.map((at, i) => [`precision@${at}`, column(found.precisionAt, i)])),
      ...Object.fromEntries(AT.map((at, i) => [`recall@${at}`, column(found.recallAt, i)])),
      r_precision: found.rPrecision,
      map_at_r: found.mapAtR,
    };
    const means = estimates(Object.values(columns), random(params.seed, "bootstrap"));
    const ofClass = (values: Float64Array, label: number) => {
      const own = values.filter((_, i) => query.labels[i] === label);
      return rounded(own.reduce((sum, value) => sum + value, 0) / own.length);
    };
    const metrics = {
      protocol: split.protocol,
      representation: vectors.metadata.loss === undefined ? "features" : "embedding",
      distance: params.distance,
      dim,
      k,
      queries,
      database: database.labels.length,
      metrics: Object.fromEntries(
        Object.keys(columns).map((name, index) => {
          const { value, low, high } = means[index];
          return [name, { value: rounded(value), low: rounded(low), high: rounded(high) }];
        }),
      ),
      classes: Object.fromEntries(
        classes.flatMap((name, label) =>
          query.labels.includes(label)
            ? [[name, { map: ofClass(columns.map, label), knn_accuracy: ofClass(correct, label) }]]
            : [],
        ),
      ),
    };
    checkJson(metrics, "metrics", outputs.metrics);
    writeFileSync(outputs.metrics, `${JSON.stringify(metrics, null, 2)}\n`);
    writeTable(
      outputs["per-query"],
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
      queries,
      {
        id: queryIds,
        label: query.labels.slice(),
        prediction: found.predictions.slice(),
        average_precision: Float32Array.from(found.averagePrecision),
        precision_at_10: Float32Array.from(columns["precision@10"]),
        r_precision: Float32Array.from(found.rPrecision),
        map_at_r: Float32Array.from(found.mapAtR),
      },
      { protocol: split.protocol, k, classes },
    );
  },
});
