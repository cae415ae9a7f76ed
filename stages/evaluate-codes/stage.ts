/** evaluate-codes: how well binary codes classify (kNN) and retrieve, by Hamming distance, under the split's protocol. */
import { defineStage } from "../../runner/stage.ts";
import { bytesOf, readCodes } from "../shared/artifacts/codes.ts";
import { writeCurve } from "../shared/artifacts/curve.ts";
import { writeSearchTimings } from "../shared/artifacts/search-timings.ts";
import type { MetricParams } from "../shared/retrieval/asked.ts";
import { evaluateQueries } from "../shared/retrieval/evaluation.ts";
import { engineHere } from "../shared/retrieval/hamming/engine.ts";
import { Scan } from "../shared/retrieval/hamming/scan.ts";
import { writeEvaluation } from "../shared/retrieval/written.ts";
import { bitUse } from "./bits.ts";
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

export default defineStage<MetricParams & { seed: number }>({
  params: "evaluate-codes",
  inputs: { codes: "codes", split: "split" },
  outputs: {
    metrics: "metrics.json",
    "per-query": "per-query.arrow",
    curve: "curve.arrow",
    timings: { path: "timings.json", measured: true },
  },
  cpus: "free",
  reusable: true,
  async run(context) {
    const { params, inputs, outputs, note, warn } = context;
    const codes = readCodes(inputs.codes);
    const { bits } = codes;
    const engine = engineHere();
    note("engine", engine);
    if (engine === "plain")
      warn("this machine's WebAssembly has no vectors: codes are compared in plain TypeScript, far slower.");
    const evaluated = await evaluateQueries(
      {
        ...codes,
        stage: "evaluate-codes",
        take: (rows) => takeRows(codes, rows),
        secondsOf,
        rank: (queries, database, options) =>
          rankCodes(queries, database, { ...options, bits, url: import.meta.url }),
      },
      inputs.codes,
      context,
    );
    const { protocol, query, database, found, seconds, threads } = evaluated;
    const result = writeEvaluation(
      outputs,
      evaluated,
      codes,
      { representation: "code", distance: "hamming", dim: bits, bits: bitUse(database.values, bits) },
      params.seed,
      ["map", "map_worst", "map_best"],
    );
    note("result", result);
    const queries = query.labels.length;
    writeCurve(outputs.curve, found.radii, bits, queries, { protocol });
    writeSearchTimings(outputs.timings, {
      engine,
      threads,
      queries,
      database: database.labels.length,
      bits,
      bytes: bytesOf(bits),
      rank_seconds: seconds,
      k: SEARCHED,
      search_seconds: searchSeconds(query, database, bits),
    });
  },
});
