/** evaluate: how well vectors classify (kNN) and retrieve (mAP and its kin), under the split's protocol. */
import { defineStage } from "../../runner/stage.ts";
import { type Roles, readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { readVectors } from "../shared/artifacts/tables.ts";
import { threadsFor } from "../shared/compute/threads.ts";
import { AT, chooseK, columnsOf, writeEvaluation } from "../shared/retrieval/evaluation.ts";
import { recipeOf } from "../shared/runs/recipe.ts";
import { rankAll, secondsOf, takeRows } from "./neighbours.ts";

interface Params {
  distance: "euclidean" | "cosine" | "centred-cosine";
  ks: number[];
  seed: number;
}

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
      url: import.meta.url,
      signal,
    };

    // k is chosen on validation images alone; the queries are asked once it stands.
    const trial = await rankAll(validation, train, {
      ...common,
      at: "predictions only",
      threads: threadsFor(secondsOf(validation, train, dim), cpus),
      onProgress: (done) => progress(done, total, "queries"),
    });
    const { k, why } = chooseK(params.ks, trial.predictions, validation.labels);
    log(why);

    const began = performance.now();
    const found = await rankAll(query, database, {
      ...common,
      ks: [k],
      at: AT,
      threads: threadsFor(secondsOf(query, database, dim), cpus),
      onProgress: (done) => progress(validation.labels.length + done, total, "queries"),
    });
    note("queries_per_second", Math.round((query.labels.length * 1000) / (performance.now() - began)));

    writeEvaluation(
      { metrics: outputs.metrics, perQuery: outputs["per-query"] },
      { ids: queryIds, labels: query.labels, predictions: found.predictions },
      columnsOf(found, query.labels),
      {
        protocol: split.protocol,
        representation: vectors.metadata.loss === undefined ? "features" : "embedding",
        made: recipeOf(vectors.metadata),
        distance: params.distance,
        dim,
        k,
        database: database.labels.length,
      },
      classes,
      params.seed,
    );
  },
});
