/** evaluate-codes: how well binary codes classify (kNN) and retrieve, by Hamming distance, under the split's protocol. */
import { writeFileSync } from "node:fs";
import { defineStage } from "../../runner/stage.ts";
import { bytesOf, readCodes } from "../shared/artifacts/codes.ts";
import { checkJson } from "../shared/artifacts/schema.ts";
import { type Roles, readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { threadsFor } from "../shared/compute/threads.ts";
import { AT, chooseK, columnsOf, writeEvaluation } from "../shared/retrieval/evaluation.ts";
import { engineHere } from "../shared/retrieval/hamming/kernel.ts";
import { Scan } from "../shared/retrieval/hamming/scan.ts";
import { recipeOf } from "../shared/runs/recipe.ts";
import { bitUse } from "./bits.ts";
import { writeCurve } from "./curve.ts";
import { type Rows, rankCodes, secondsOf, takeRows } from "./retrieval.ts";

/** Neighbours in the search that is timed. */
const SEARCHED = 100;

/** Seconds that one thread takes to find the nearest codes of every query. */
function searchSeconds(queries: Rows, database: Rows, bits: number): number {
  const bytes = bytesOf(bits);
  const scan = new Scan(database.values, bits);
  const began = performance.now();
  for (let at = 0; at < queries.values.length; at += bytes)
    scan.nearest(queries.values.subarray(at, at + bytes), SEARCHED);
  return (performance.now() - began) / 1000;
}

export default defineStage<{ ks: number[]; seed: number }>({
  params: "evaluate-codes",
  inputs: { codes: "codes", split: "split" },
  outputs: {
    metrics: "metrics.json",
    "per-query": "per-query.arrow",
    curve: "curve.arrow",
    timings: { path: "timings.json", measured: true },
  },
  cpus: "all",
  async run({ params, inputs, outputs, cpus, progress, note, warn, log, signal }) {
    const codes = readCodes(inputs.codes);
    const split = readSplit(inputs.split);
    const { bits, classes, ids } = codes;
    const engine = engineHere();
    note("engine", engine);
    if (engine === "plain")
      warn("this machine's WebAssembly has no vectors: codes are compared in plain TypeScript, far slower.");
    const rows = (role: keyof Roles) => rowsOf(split, role, ids, inputs.codes);
    const take = (role: keyof Roles) => takeRows(codes, rows(role));
    const [train, validation, query, database] = [
      take("train"),
      take("validation"),
      take("query"),
      take("database"),
    ];
    const queries = query.labels.length;
    const total = validation.labels.length + queries;
    const common = { bits, classes: classes.length, url: import.meta.url, signal };

    // k is chosen on validation images alone; the queries are asked once it stands.
    const trial = await rankCodes(validation, train, {
      ...common,
      ks: params.ks,
      at: "predictions only",
      threads: threadsFor(secondsOf(validation, train), cpus),
      onProgress: (done) => progress(done, total, "queries"),
    });
    const { k, why } = chooseK(params.ks, trial.predictions, validation.labels);
    log(why);

    const threads = threadsFor(secondsOf(query, database), cpus);
    const began = performance.now();
    const found = await rankCodes(query, database, {
      ...common,
      ks: [k],
      at: AT,
      threads,
      onProgress: (done) => progress(validation.labels.length + done, total, "queries"),
    });
    const rankSeconds = (performance.now() - began) / 1000;

    const { map, ...others } = columnsOf(found, query.labels);
    writeEvaluation(
      { metrics: outputs.metrics, perQuery: outputs["per-query"] },
      {
        ids: Uint32Array.from(rows("query"), (row) => ids[row]),
        labels: query.labels,
        predictions: found.predictions,
      },
      {
        map,
        map_worst: found.worst,
        map_best: found.best,
        ...others,
        precision_radius_2: found.nearPrecision,
      },
      {
        protocol: split.protocol,
        representation: "code",
        made: recipeOf(codes.metadata),
        distance: "hamming",
        dim: bits,
        k,
        database: database.labels.length,
        bits: bitUse(database.values, bits),
      },
      classes,
      params.seed,
    );
    writeCurve(outputs.curve, found.radii, bits, queries, { protocol: split.protocol });
    const timings = {
      engine,
      threads,
      queries,
      database: database.labels.length,
      bits,
      bytes: bytesOf(bits),
      rank_seconds: rankSeconds,
      k: SEARCHED,
      search_seconds: searchSeconds(query, database, bits),
    };
    checkJson(timings, "search-timings", outputs.timings);
    writeFileSync(outputs.timings, `${JSON.stringify(timings, null, 2)}\n`);
  },
});
