/** tsne: vectors of the query images in the plane, with a figure of how far to trust it. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { writeMap } from "../shared/artifacts/tsne-map.ts";
import { readVectors } from "../shared/artifacts/vectors.ts";
import { startBackend } from "../shared/compute/backend.ts";
import { random } from "../shared/compute/random.ts";
import { meanOfRows } from "../shared/statistics/means.ts";
import { drawStratified } from "../shared/statistics/stratified.ts";
import { tsne } from "./embed.ts";
import { take } from "./points.ts";
import { TRUSTED_NEIGHBOURS, trustworthiness } from "./trustworthiness.ts";

interface Params {
  points: number;
  perplexity: number;
  iterations: number;
  distance: "euclidean" | "cosine" | "centred-cosine";
  seed: number;
}

export default defineStage<Params>({
  params: "tsne",
  inputs: { vectors: { artifact: "vectors", named: true }, split: "split" }, // the map says whose vectors it shows
  outputs: { map: "map.arrow" },
  reusable: true,
  async run({ params, inputs, sources, outputs, progress, note, signal }) {
    const { perplexity, iterations, distance, seed } = params;
    const { ids, labels, values, dim, classes, metadata } = readVectors(inputs.vectors);
    const split = readSplit(inputs.split);
    const queries = rowsOf(split, "query", ids, inputs.vectors);
    const rows = drawStratified(queries, labels, params.points, random(seed, "points"));
    if (rows.length < 3 * perplexity || rows.length < 3 * TRUSTED_NEIGHBOURS)
      throw new UserError(
        `tsne: ${rows.length} points are too few for perplexity ${perplexity}. It takes three times as many points: lower it, or draw more.`,
      );
    const centre =
      distance === "centred-cosine"
        ? meanOfRows(values, dim, rowsOf(split, "train", ids, inputs.vectors))
        : undefined;
    const points = take(values, dim, rows, centre, distance !== "euclidean");
    const { backend } = await startBackend("wasm");
    note("backend", backend);

    const found = tsne(points, {
      perplexity,
      iterations,
      seed,
      signal,
      progress: (done, total) => progress(done, total, "iterations"),
    });
    const map = Float32Array.from(found.map);
    const trust = trustworthiness(points, map);
    note("trustworthiness", trust);
    const column = (axis: number) => Float32Array.from(rows, (_, at) => map[2 * at + axis]);
    writeMap(
      outputs.map,
      {
        ids: Uint32Array.from(rows, (row) => ids[row]),
        labels: Uint16Array.from(rows, (row) => labels[row]),
        x: column(0),
        y: column(1),
      },
      {
        classes,
        made_from: metadata,
        of: sources.vectors[0].id,
        point: sources.vectors[0].point,
        points: rows.length,
        dim,
        distance,
        perplexity,
        seed,
        iterations: found.iterations,
        kl: found.kl,
        trustworthiness: trust,
        neighbours: TRUSTED_NEIGHBOURS,
      },
    );
  },
});
