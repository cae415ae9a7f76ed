/** The evaluation of any representation: choose k on the validation images, rank the queries, state intervals. */
import type { StageContext } from "../../../runner/stage.ts";
import { type Metrics, writeMetrics } from "../artifacts/metrics.ts";
import { writeQueries } from "../artifacts/per-query.ts";
import { type Roles, readSplit, rowsOf } from "../artifacts/split.ts";
import { random } from "../compute/random.ts";
import { threadsFor } from "../compute/threads.ts";
import { recipeOf } from "../runs/recipe.ts";
import { estimates } from "../statistics/bootstrap.ts";
import { AT, type Found } from "./found.ts";

/** Arguments of a ranking that do not depend on the representation. */
export interface RankOptions {
  classes: number;
  /** Numbers of neighbours that vote for a class. */
  ks: number[];
  /** The k of precision and recall; "predictions only": no metric of the ranking. */
  at: number[] | "predictions only";
  threads: number;
  onProgress: (queries: number) => void;
  signal: AbortSignal;
}

/** Some rows of a representation with their labels. */
export interface LabelledRows {
  /** `[rows]` */
  labels: Uint16Array;
}

/** A representation: its images, and the way to rank some of them by their distance to others. */
export interface Representation<Rows extends LabelledRows, F extends Found> {
  ids: Uint32Array;
  classes: string[];
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

/** Six decimals: more would show only how the sum was rounded. */
export const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/**
 * The number of neighbours whose votes were right most often; of equally good ones the first.
 * @param predictions `[queries, ks]`, of validation images alone
 */
export function chooseK(ks: number[], predictions: Uint16Array, labels: Uint16Array) {
  const right = ks.map((_, index) =>
    labels.reduce((sum, label, i) => sum + (predictions[i * ks.length + index] === label ? 1 : 0), 0),
  );
  const k = ks[right.indexOf(Math.max(...right))];
  return { k, why: `k = ${k}: ${right.map((count, index) => `${ks[index]}: ${count}`).join(", ")} right` };
}

/**
 * Ranks the database for every query of the split. k is chosen on the validation images alone, before any query is
 * ranked.
 * @param file of the representation, for errors
 */
export async function evaluateQueries<Rows extends LabelledRows, F extends Found>(
  representation: Representation<Rows, F>,
  file: string,
  { params, inputs, cpus, progress, log, signal }: StageContext<{ ks: number[] }>,
): Promise<Evaluated<Rows, F>> {
  const split = readSplit(inputs.split);
  const { ids, classes } = representation;
  const rows = (role: keyof Roles) => rowsOf(split, role, ids, file);
  const [train, validation, query, database] = (["train", "validation", "query", "database"] as const).map(
    (role) => representation.take(rows(role)),
  );
  const total = validation.labels.length + query.labels.length;
  const rank = (asked: Rows, searched: Rows, threads: number, before: number, options: object) =>
    representation.rank(asked, searched, {
      classes: classes.length,
      ks: params.ks,
      at: AT,
      threads,
      onProgress: (done) => progress(before + done, total, "queries"),
      signal,
      ...options,
    });
  const threadsOf = (asked: Rows, searched: Rows) =>
    threadsFor(representation.secondsOf(asked, searched), cpus);

  const trial = await rank(validation, train, threadsOf(validation, train), 0, { at: "predictions only" });
  const { k, why } = chooseK(params.ks, trial.predictions, validation.labels);
  log(why);

  const threads = threadsOf(query, database);
  const began = performance.now();
  const found = await rank(query, database, threads, validation.labels.length, { ks: [k] });
  const seconds = (performance.now() - began) / 1000;
  const queryIds = Uint32Array.from(rows("query"), (row) => ids[row]);
  return { protocol: split.protocol, k, query, ids: queryIds, database, found, seconds, threads };
}

/** Whether kNN gave each query its own class: 1 or 0. */
const accuracyOf = ({ found, query }: Evaluated<LabelledRows, Found>): Float64Array =>
  Float64Array.from(found.predictions, (label, i) => (label === query.labels[i] ? 1 : 0));

/**
 * Writes the artifacts `metrics` and `per-query`.
 * @param first names of the columns that come before the others in `metrics`
 * @param facts about the representation, stored in `metrics` beside the numbers
 * @param seed of the bootstrap
 */
export function writeEvaluation(
  paths: Record<string, string>,
  evaluated: Evaluated<LabelledRows, Found>,
  { classes, metadata }: { classes: string[]; metadata: Record<string, unknown> },
  facts: Pick<Metrics, "representation" | "distance" | "dim" | "bits">,
  seed: number,
  first = ["map"],
): void {
  const { protocol, k, query, ids, database, found } = evaluated;
  const { labels } = query;
  const columns: Record<string, Float64Array> = {
    ...Object.fromEntries(first.map((name) => [name, found.columns[name]])),
    knn_accuracy: accuracyOf(evaluated),
    ...found.columns,
  };
  const means = estimates(Object.values(columns), random(seed, "bootstrap"));
  const ofClass = (values: Float64Array, label: number) => {
    const own = values.filter((_, i) => labels[i] === label);
    return rounded(own.reduce((sum, value) => sum + value, 0) / own.length);
  };
  const { representation, distance, dim, bits } = facts;
  writeMetrics(paths.metrics, {
    protocol,
    representation,
    made: recipeOf(metadata),
    distance,
    dim,
    k,
    queries: labels.length,
    database: database.labels.length,
    metrics: Object.fromEntries(
      Object.keys(columns).map((name, index) => {
        const { value, low, high } = means[index];
        return [name, { value: rounded(value), low: rounded(low), high: rounded(high) }];
      }),
    ),
    ...(bits ? { bits } : {}),
    classes: Object.fromEntries(
      classes.flatMap((name, label) =>
        labels.includes(label)
          ? [[name, { map: ofClass(columns.map, label), knn_accuracy: ofClass(columns.knn_accuracy, label) }]]
          : [],
      ),
    ),
  });
  writeQueries(paths["per-query"], {
    ids,
    labels,
    predictions: found.predictions,
    columns,
    metadata: { protocol, k, classes },
  });
}
