/** Queries against a database: every ranking, on all cores, never a matrix of all distances. */
import type { Vectors } from "../shared/artifacts/vectors.ts";
import { defineWork, inThreads, shared } from "../shared/compute/threads.ts";
import { bytesOfSets, type RankOptions, takeSharedSets } from "../shared/retrieval/evaluation.ts";
import { createFound, type Found, keepMetrics, keepVotes } from "../shared/retrieval/found.ts";
import { type MoreMetrics, moreNames } from "../shared/retrieval/more.ts";
import { Ranking } from "../shared/retrieval/ranking.ts";
import { SetRanking } from "../shared/retrieval/set-ranking.ts";
import { BLOCK, Distances } from "./distances.ts";

/** Rows of vectors with their labels, in shared memory. */
export interface Rows {
  /** `[rows, dim]` */
  values: Float32Array;
  /** `[rows]` */
  labels: Uint16Array;
  /** Where images may have several labels, all of each: see label-sets.ts. */
  sets?: Uint8Array;
}

interface Job {
  queries: Rows;
  /** `[items]`: squared lengths. */
  lengths: Float64Array;
  database: Rows;
  dim: number;
  classes: number;
  ks: number[];
  at: number[];
  more?: MoreMetrics;
  /** `[queries]`: see {@link RankOptions}. */
  own?: Int32Array;
  found: Found;
}

/**
 * The chosen rows of vectors, in shared memory.
 * @param centre `[dim]`, taken off every vector first
 * @param unit bring every vector to length 1 (a vector of zeros stays)
 */
export function takeRows(
  vectors: Pick<Vectors, "values" | "labels" | "sets" | "dim"> & { classes?: string[] },
  rows: Uint32Array,
  centre: Float32Array | undefined,
  unit: boolean,
): Rows {
  const { dim } = vectors;
  const values = shared(Float32Array, rows.length * dim);
  const labels = shared(Uint16Array, rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = values.subarray(i * dim, (i + 1) * dim);
    row.set(vectors.values.subarray(rows[i] * dim, (rows[i] + 1) * dim));
    labels[i] = vectors.labels[rows[i]];
    if (centre) for (let d = 0; d < dim; d++) row[d] -= centre[d];
    if (!unit) continue;
    let squares = 0;
    for (let d = 0; d < dim; d++) squares += row[d] * row[d];
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let d = 0; d < dim; d++) row[d] *= scale;
  }
  return { values, labels, ...takeSharedSets(vectors, rows) };
}

/** Ranks the queries of a block one after the other. */
interface Ranker {
  distances: Distances;
  /** Ranks a query. @param place in its block */
  rank(query: number, place: number): void;
}

function byLabel({ queries, database, lengths, dim, classes, ks, at, more, own, found }: Job): Ranker {
  const ranking = new Ranking(database.labels, classes);
  const distances = new Distances({ ...database, dim, lengths, order: ranking.byClassOrder() });
  const furthest = Math.max(...ks);
  const whole = "map" in found.columns;
  return {
    distances,
    rank(query, place) {
      const skip = own?.[query] ?? -1;
      const measured = distances.measure(place);
      const nearest = distances.nearest(measured, furthest, skip);
      for (const [index, k] of ks.entries())
        found.predictions[query * ks.length + index] = ranking.vote(nearest.subarray(0, k));
      if (!whole) return;
      ranking.take(measured);
      keepMetrics(found, query, ranking.measuredMetrics(queries.labels[query], at, skip, more), at);
    },
  };
}

function bySets({ queries, database, lengths, dim, classes, ks, at, more, own, found }: Job): Ranker {
  const { labels, sets } = database;
  const ranking = new SetRanking(sets!, labels.length, classes);
  const order = Uint32Array.from(labels.keys());
  const distances = new Distances({ ...database, dim, lengths, order });
  const whole = "map" in found.columns;
  return {
    distances,
    rank(query, place) {
      const skip = own?.[query] ?? -1;
      ranking.take(distances.measure(place));
      for (const [index, k] of ks.entries())
        keepVotes(found, query * ks.length + index, ranking.vote(k, skip));
      if (whole) keepMetrics(found, query, ranking.metrics(queries.sets!, query, at, skip, more), at);
    },
  };
}

defineWork<Job>("neighbours", async (job) => {
  const { queries, database } = job;
  const { distances, rank } = database.sets ? bySets(job) : byLabel(job);
  return (block) => {
    const first = block * BLOCK;
    const count = Math.min(BLOCK, queries.labels.length - first);
    distances.take(queries.values, first, count);
    for (let i = 0; i < count; i++) rank(first + i, i);
  };
});

/** Seconds that {@link rankAll} takes on one core, roughly (bench/map.ts). */
export const secondsOf = (queries: Rows, database: Rows, dim: number): number =>
  queries.labels.length * database.labels.length * (10 + dim / 10) * 1e-9;

/**
 * Ranks the database for every query, by Euclidean distance.
 * @param options with the bundle that holds this module: `import.meta.url` of the stage
 */
export async function rankAll(
  queries: Rows,
  database: Rows,
  options: RankOptions & { dim: number; url: string },
): Promise<Found> {
  const { dim, classes, ks, more, own, threads, url, onProgress, signal } = options;
  const count = queries.labels.length;
  const at = options.at === "predictions only" ? [] : options.at;
  const found = createFound(count, ks.length, options.at, moreNames(more), bytesOfSets(database, classes));
  const items = database.labels.length;
  const lengths = shared(Float64Array, items);
  for (let i = 0; i < items; i++)
    for (let d = i * dim; d < (i + 1) * dim; d++) lengths[i] += database.values[d] * database.values[d];
  const job: Job = {
    ...{ queries, database, lengths, dim },
    ...{ classes, ks, at, more, own, found },
  };
  await inThreads(
    "neighbours",
    job,
    Math.ceil(count / BLOCK),
    threads,
    url,
    (blocks) => onProgress(Math.min(count, blocks * BLOCK)),
    signal,
  );
  return found;
}
