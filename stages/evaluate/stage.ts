/** evaluate: how well vectors classify (kNN) and retrieve (mAP and others), under the split's protocol. */
import { defineStage } from "../../runner/stage.ts";
import { readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { readVectors } from "../shared/artifacts/vectors.ts";
import { evaluateQueries, writeEvaluation } from "../shared/retrieval/evaluation.ts";
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
  async run(context) {
    const { params, inputs, outputs, note } = context;
    const { distance } = params;
    const vectors = readVectors(inputs.vectors);
    const { dim } = vectors;
    const train = () => rowsOf(readSplit(inputs.split), "train", vectors.ids, inputs.vectors);
    const centre = distance === "centred-cosine" ? meanOf(vectors.values, train(), dim) : undefined;
    const evaluated = await evaluateQueries(
      {
        ...vectors,
        take: (rows) => takeRows(vectors, rows, centre, distance !== "euclidean"),
        secondsOf: (queries, database) => secondsOf(queries, database, dim),
        rank: (queries, database, options) =>
          rankAll(queries, database, { ...options, dim, url: import.meta.url }),
      },
      inputs.vectors,
      context,
    );
    note("queries_per_second", Math.round(evaluated.ids.length / evaluated.seconds));
    const representation = vectors.metadata.loss === undefined ? "features" : "embedding";
    writeEvaluation(outputs, evaluated, vectors, { representation, distance, dim }, params.seed);
  },
});
