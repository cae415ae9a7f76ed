/** evaluate: how well vectors classify (kNN) and retrieve (mAP and others), under the split's protocol. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { readVectors } from "../shared/artifacts/vectors.ts";
import { random } from "../shared/compute/random.ts";
import type { MetricParams } from "../shared/retrieval/asked.ts";
import { agreement, kMeans } from "../shared/retrieval/clustering.ts";
import { evaluateQueries } from "../shared/retrieval/evaluation.ts";
import { rounded, writeEvaluation } from "../shared/retrieval/written.ts";
import { type Rows, rankAll, secondsOf, takeRows } from "./neighbours.ts";

interface Params extends MetricParams {
  distance: "euclidean" | "cosine" | "centred-cosine";
  seed: number;
}

/** The mean of some rows, `[dim]`. */
function meanOf(values: Float32Array, rows: Uint32Array, dim: number): Float32Array {
  const sums = new Float64Array(dim);
  for (const row of rows) for (let d = 0; d < dim; d++) sums[d] += values[row * dim + d];
  return Float32Array.from(sums, (sum) => sum / rows.length);
}

/** How well k-means finds the classes of the queries. */
function clusteringOf({ values, labels }: Rows, dim: number, seed: number) {
  const clusters = new Set(labels).size;
  const { nmi, ami } = agreement(labels, kMeans(values, dim, clusters, random(seed, "k-means")));
  return { clusters, nmi: rounded(nmi), ami: rounded(ami) };
}

export default defineStage<Params>({
  params: "evaluate",
  refuses: [
    {
      where: "metrics",
      when: { "upstream.dataset.params.several": [true], "params.metrics": ["nmi", "ami"] },
      message:
        'nmi and ami compare clusters with classes, but images of the data set "${upstream.dataset}" may have several labels each. Take them out of metrics; or, where each image has one label, declare several: false of the data set.',
    },
  ],
  inputs: { vectors: "vectors", split: "split" },
  outputs: { metrics: "metrics.json", "per-query": "per-query.arrow" },
  cpus: "free",
  reusable: true,
  async run(context) {
    const { params, inputs, outputs, note } = context;
    const { distance } = params;
    const vectors = readVectors(inputs.vectors);
    const { dim, sets } = vectors;
    const clusters = params.metrics.some((name) => name === "nmi" || name === "ami");
    if (clusters && sets)
      throw new UserError(
        "evaluate: nmi and ami compare clusters with classes, but images have several labels each. Take them out of metrics.",
      );
    const train = () => rowsOf(readSplit(inputs.split), "train", vectors.ids, inputs.vectors);
    const centre = distance === "centred-cosine" ? meanOf(vectors.values, train(), dim) : undefined;
    const evaluated = await evaluateQueries(
      {
        ...vectors,
        stage: "evaluate",
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
    const clustering = clusters ? clusteringOf(evaluated.query, dim, params.seed) : undefined;
    const result = writeEvaluation(
      outputs,
      evaluated,
      vectors,
      { representation, distance, dim, clustering },
      params.seed,
    );
    note("result", result);
  },
});
