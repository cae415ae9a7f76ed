/** Queries against a database of codes, on all cores: counts by distance, and what follows from them. */
import { bytesOf, type Codes } from "../shared/artifacts/codes.ts";
import type { Radii } from "../shared/artifacts/curve.ts";
import { defineWork, inThreads, shared } from "../shared/compute/threads.ts";
import { bytesOfSets, type RankOptions, takeSharedSets } from "../shared/retrieval/evaluation.ts";
import { createFound, type Found, keepMetrics, keepVotes } from "../shared/retrieval/found.ts";
import { Counts } from "../shared/retrieval/hamming/counts.ts";
import { metricsOfCounts } from "../shared/retrieval/hamming/metrics.ts";
import { SetCounts } from "../shared/retrieval/hamming/set-counts.ts";
import { vote } from "../shared/retrieval/hamming/vote.ts";
import { type Gains, type MoreMetrics, moreNames } from "../shared/retrieval/more.ts";

/** Queries of one block. */
const BLOCK = 64;

/** Rows of codes with their labels, in shared memory. */
export interface Rows {
  /** `[rows, bytes]` */
  values: Uint8Array;
  /** `[rows]` */
  labels: Uint16Array;
  /** Where images may have several labels, all of each: see label-sets.ts. */
  sets?: Uint8Array;
}

/** The columns that only codes have: see {@link CodeMetrics}. */
const COLUMNS = ["map_worst", "map_best", "precision_radius_2"];

/** The ranking of queries, with the sums by radius. */
export interface FoundOfCodes extends Found {
  /** Sums over the queries of each block, so that threads add nothing up in an order of their own. */
  radii: Radii;
}

interface Job {
  queries: Rows;
  database: Rows;
  bits: number;
  classes: number;
  ks: number[];
  at: number[];
  more?: MoreMetrics;
  /** `[queries]`: see {@link RankOptions}. */
  own?: Int32Array;
  found: FoundOfCodes;
}

/** The chosen rows of codes, in shared memory. */
export function takeRows(codes: Codes, rows: Uint32Array): Rows {
  const { values, labels, bits } = codes;
  const bytes = bytesOf(bits);
  const taken = { values: shared(Uint8Array, rows.length * bytes), labels: shared(Uint16Array, rows.length) };
  for (const [i, row] of rows.entries()) {
    taken.values.set(values.subarray(row * bytes, (row + 1) * bytes), i * bytes);
    taken.labels[i] = labels[row];
  }
  return { ...taken, ...takeSharedSets(codes, rows) };
}

/** Adds one query to the sums of a block. @param first where the block's sums begin */
function addRadii(radii: Radii, first: number, all: Uint32Array, relevant: Uint32Array): void {
  let total = 0;
  for (let distance = 0; distance < relevant.length; distance++) total += relevant[distance];
  let items = 0;
  let hits = 0;
  for (let radius = 0; radius < all.length; radius++) {
    items += all[radius];
    hits += relevant[radius];
    radii.retrieved[first + radius] += items;
    if (items > 0) radii.precision[first + radius] += hits / items;
    else radii.empty[first + radius]++;
    if (total > 0) radii.recall[first + radius] += hits / total;
  }
}

/** Counts for one query: by its label, or by all of its labels. */
interface Counted {
  all: Uint32Array;
  relevant: Uint32Array;
  gains?: Gains;
}
type CountOne = (query: number, code: Uint8Array) => Counted;

function byLabel({ queries, database, bits, classes, ks, own, found }: Job): CountOne {
  const counts = new Counts(database.values, bits, database.labels, classes);
  return (query, code) => {
    counts.count(code);
    if (own && own[query] >= 0) counts.leaveOut(database.labels[own[query]]);
    for (let index = 0; index < ks.length; index++)
      found.predictions[query * ks.length + index] = vote(counts, ks[index]);
    return { all: counts.all, relevant: counts.relevant(queries.labels[query]) };
  };
}

function bySets({ queries, database, bits, classes, ks, more, own, found }: Job): CountOne {
  const counts = new SetCounts(database.values, bits, database.sets!, classes);
  return (query, code) => {
    counts.count(code, queries.sets!, query, own?.[query]);
    for (const [index, k] of ks.entries()) keepVotes(found, query * ks.length + index, counts.vote(k));
    const gains = more?.gradedAt.length ? counts.gains() : undefined;
    return { all: counts.all, relevant: counts.relevant, gains };
  };
}

defineWork<Job>("codes", async (job) => {
  const { queries, database, bits, at, more, found } = job;
  const bytes = bytesOf(bits);
  const countOne = database.sets ? bySets(job) : byLabel(job);
  const whole = "map" in found.columns;
  return (block) => {
    const end = Math.min((block + 1) * BLOCK, queries.labels.length);
    for (let query = block * BLOCK; query < end; query++) {
      const code = queries.values.subarray(query * bytes, (query + 1) * bytes);
      const { all, relevant, gains } = countOne(query, code);
      if (!whole) continue;
      keepMetrics(found, query, metricsOfCounts(all, relevant, at, more, gains), at);
      addRadii(found.radii, block * (bits + 1), all, relevant);
    }
  };
});

/** Seconds that {@link rankCodes} takes on one core, roughly (bench/hamming.ts). */
export const secondsOf = (queries: Rows, database: Rows): number =>
  queries.labels.length * database.labels.length * 3e-9;

/**
 * Ranks the database for every query, by Hamming distance.
 * @param options with the bundle that holds this module: `import.meta.url` of the stage
 */
export async function rankCodes(
  queries: Rows,
  database: Rows,
  options: RankOptions & { bits: number; url: string },
): Promise<FoundOfCodes> {
  const { bits, classes, ks, more, own, threads, url, onProgress, signal } = options;
  const count = queries.labels.length;
  const blocks = Math.ceil(count / BLOCK);
  const at = options.at === "predictions only" ? [] : options.at;
  const sums = options.at === "predictions only" ? 0 : blocks * (bits + 1);
  const found: FoundOfCodes = {
    ...createFound(
      count,
      ks.length,
      options.at,
      [...COLUMNS, ...moreNames(more)],
      bytesOfSets(database, classes),
    ),
    radii: {
      precision: shared(Float64Array, sums),
      recall: shared(Float64Array, sums),
      retrieved: shared(Float64Array, sums),
      empty: shared(Float64Array, sums),
    },
  };
  const job: Job = { queries, database, bits, classes, ks, at, more, own, found };
  await inThreads(
    "codes",
    job,
    blocks,
    threads,
    url,
    (done) => onProgress(Math.min(count, done * BLOCK)),
    signal,
  );
  return found;
}
