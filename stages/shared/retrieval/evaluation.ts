/** The evaluation of any representation: choose k on the validation images, rank the queries. */
import { type StageContext, UserError } from "../../../runner/stage.ts";
import { setBytes, someApart, takeSets } from "../artifacts/label-sets.ts";
import { readSplit, retrievesItself, rowsOf } from "../artifacts/split.ts";
import { shared, threadsFor } from "../compute/threads.ts";
import { askedFor, type MetricParams } from "./asked.ts";
import type { Found } from "./found.ts";
import { f1Of } from "./label-f1.ts";
import type { MoreMetrics } from "./more.ts";

/** Arguments of a ranking that do not depend on the representation. */
export interface RankOptions {
  classes: number;
  /** Numbers of neighbours that vote for a class. */
  ks: number[];
  /** The k of precision and recall; "predictions only": no metric of the ranking. */
  at: number[] | "predictions only";
  more?: MoreMetrics;
  /** `[queries]`: the place of each query in the database, where it is left out; -1: it is not there. */
  own?: Int32Array;
  threads: number;
  onProgress: (queries: number) => void;
  signal: AbortSignal;
}

/** Some rows of a representation with their labels. */
export interface LabelledRows {
  /** `[rows]` */
  labels: Uint16Array;
  /** Where images may have several labels, all of each: see label-sets.ts. */
  sets?: Uint8Array;
}

/** The sets of labels of some rows, in shared memory; nothing where images have one label each. */
export function takeSharedSets(
  { sets, classes = [] }: { sets?: Uint8Array; classes?: string[] },
  rows: Uint32Array,
): { sets?: Uint8Array } {
  if (!sets) return {};
  const taken = shared(Uint8Array, rows.length * setBytes(classes.length));
  return { sets: takeSets(sets, rows, classes.length, taken) };
}

/** Bytes of a set of labels; 0 where images have one label each. */
export const bytesOfSets = ({ sets }: LabelledRows, classes: number): number =>
  sets ? setBytes(classes) : 0;

/** A representation: its images, and the way to rank some of them by their distance to others. */
export interface Representation<Rows extends LabelledRows, F extends Found> {
  /** The stage that ranks it, for errors. */
  stage: string;
  ids: Uint32Array;
  classes: string[];
  /** Where images may have several labels, all of each: see label-sets.ts. */
  sets?: Uint8Array;
  metadata: Record<string, unknown>;
  /** The given rows of it. */
  take(rows: Uint32Array): Rows;
  /** Ranks the database for every query. */
  rank(queries: Rows, database: Rows, options: RankOptions): Promise<F>;
  /** A rough estimate of the seconds that {@link rank} takes on one core. */
  secondsOf(queries: Rows, database: Rows): number;
}

/** The rankings of all queries. */
export interface Evaluated<Rows extends LabelledRows, F extends Found> {
  protocol: string;
  /** The number of neighbours chosen on the validation images. */
  k: number;
  query: Rows;
  /** `[queries]` */
  ids: Uint32Array;
  database: Rows;
  found: F;
  /** Of the ranking, on so many threads. */
  seconds: number;
  threads: number;
}

/**
 * The number of neighbours whose votes were right most often; of equally good ones the first.
 * @param found of validation images alone
 */
export function chooseK(
  ks: number[],
  { predictions, votes }: Found,
  { labels, sets }: LabelledRows,
  classes: number,
) {
  const scores = ks.map((_, index) => {
    if (sets) return f1Of(votes!, ks.length, index, sets, labels.length, classes).micro();
    return labels.reduce((sum, label, i) => sum + (predictions[i * ks.length + index] === label ? 1 : 0), 0);
  });
  const k = ks[scores.indexOf(Math.max(...scores))];
  const told = scores.map((score, index) => `${ks[index]}: ${sets ? score.toFixed(4) : score}`);
  return { k, why: `k = ${k}: ${told.join(", ")} ${sets ? "F1 (micro)" : "right"}` };
}

/** The place of each of some rows among others, or -1. */
function placesOf(rows: Uint32Array, among: Uint32Array): Int32Array {
  const places = new Map(Array.from(among, (row, place) => [row, place]));
  const found = shared(Int32Array, rows.length);
  for (const [i, row] of rows.entries()) found[i] = places.get(row) ?? -1;
  return found;
}

/**
 * Checks that each role has images, which a split of a file does, but not one that a program made.
 * @param rows of each role @throws UserError naming the first that has none
 */
export function checkFilled(rows: Record<string, ArrayLike<number>>, stage: string): void {
  for (const [role, { length }] of Object.entries(rows))
    if (length === 0)
      throw new UserError(`${stage}: no image is in "${role}" of the split. Put at least one there.`);
}

/** @throws UserError when every ranking would be perfect, or none has anything to find */
function checkRelevant(
  query: LabelledRows,
  database: LabelledRows,
  { columns }: Found,
  { stage, classes }: { stage: string; classes: string[] },
): void {
  if (columns.map.every((map) => map === 0))
    throw new UserError(
      `${stage}: no query shares a label with one of the ${database.labels.length} images searched, so there is nothing to find. Look at the split, or at the labels.`,
    );
  const apart = query.sets
    ? someApart(query.sets, database.sets!, setBytes(classes.length))
    : new Set([...query.labels, ...database.labels]).size > 1;
  if (!apart)
    throw new UserError(
      `${stage}: every query shares a label with every image searched, so every ranking is perfect. Look at the labels.`,
    );
}

/**
 * Ranks the database for every query of the split. k is chosen on the validation images alone, before any query is
 * ranked: they search the training images, or, where the test set retrieves itself, each other.
 * @param file of the representation, for errors
 */
export async function evaluateQueries<Rows extends LabelledRows, F extends Found>(
  representation: Representation<Rows, F>,
  file: string,
  { params, inputs, cpus, progress, log, signal }: StageContext<MetricParams>,
): Promise<Evaluated<Rows, F>> {
  const split = readSplit(inputs.split);
  const { stage, ids, classes, sets } = representation;
  const itself = retrievesItself(split.protocol);
  const rows = {
    train: rowsOf(split, itself ? "validation" : "train", ids, file),
    validation: rowsOf(split, "validation", ids, file),
    query: rowsOf(split, "query", ids, file),
    database: rowsOf(split, "database", ids, file),
  };
  checkFilled(rows, stage);
  const { at, more } = askedFor(params, sets !== undefined, rows.database.length - Number(itself), stage);
  const train = representation.take(rows.train);
  const validation = representation.take(rows.validation);
  const query = representation.take(rows.query);
  const database = representation.take(rows.database);
  const total = validation.labels.length + query.labels.length;
  const rank = (asked: Rows, searched: Rows, threads: number, before: number, options: object) =>
    representation.rank(asked, searched, {
      classes: classes.length,
      ks: params.ks,
      at,
      more,
      threads,
      onProgress: (done) => progress(before + done, total, "queries"),
      signal,
      ...options,
    });
  const threadsOf = (asked: Rows, searched: Rows) =>
    threadsFor(representation.secondsOf(asked, searched), cpus);

  const trial = await rank(validation, train, threadsOf(validation, train), 0, {
    at: "predictions only",
    own: itself ? placesOf(rows.validation, rows.train) : undefined,
  });
  const { k, why } = chooseK(params.ks, trial, validation, classes.length);
  log(why);

  const threads = threadsOf(query, database);
  const began = performance.now();
  const found = await rank(query, database, threads, validation.labels.length, {
    ks: [k],
    own: itself ? placesOf(rows.query, rows.database) : undefined,
  });
  const seconds = (performance.now() - began) / 1000;
  checkRelevant(query, database, found, representation);
  const queryIds = Uint32Array.from(rows.query, (row) => ids[row]);
  return { protocol: split.protocol, k, query, ids: queryIds, database, found, seconds, threads };
}
