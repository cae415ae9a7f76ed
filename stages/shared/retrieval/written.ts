/** The files of an evaluation: means over queries with their intervals, and the metrics of each query. */
import { hasLabel } from "../artifacts/label-sets.ts";
import { type Metrics, writeMetrics } from "../artifacts/metrics.ts";
import { writeQueries } from "../artifacts/per-query.ts";
import { random } from "../compute/random.ts";
import { recipeOf } from "../runs/recipe.ts";
import { estimates } from "../statistics/bootstrap.ts";
import type { Evaluated, LabelledRows } from "./evaluation.ts";
import type { Found } from "./found.ts";
import { f1Estimates } from "./label-f1.ts";

/** Six decimals: more would show only how the sum was rounded. */
export const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/** Whether a query has a label. */
const has = ({ labels, sets }: LabelledRows, query: number, label: number): boolean =>
  sets ? hasLabel(sets, query, label, sets.length / labels.length) : labels[query] === label;

/** Whether the class that most neighbours have is one of each query's own: 1 or 0. */
const accuracyOf = ({ found, query }: Evaluated<LabelledRows, Found>): Float64Array =>
  Float64Array.from(found.predictions, (label, i) => (has(query, i, label) ? 1 : 0));

/**
 * Writes the artifacts `metrics` and `per-query`.
 * @param first names of the columns that come before the others in `metrics`
 * @param facts about the representation, stored in `metrics` beside the numbers
 * @param seed of the bootstrap
 * @returns the decisive number, for the terminal
 */
export function writeEvaluation(
  paths: Record<string, string>,
  evaluated: Evaluated<LabelledRows, Found>,
  { classes, metadata }: { classes: string[]; metadata: Record<string, unknown> },
  facts: Pick<Metrics, "representation" | "distance" | "dim" | "bits" | "clustering">,
  seed: number,
  first = ["map"],
): string {
  const { protocol, k, query, ids, database, found } = evaluated;
  const { labels } = query;
  const columns: Record<string, Float64Array> = {
    ...Object.fromEntries(first.map((name) => [name, found.columns[name]])),
    knn_accuracy: accuracyOf(evaluated),
    ...found.columns,
  };
  const means = estimates(Object.values(columns), random(seed, "bootstrap"));
  const ofClass = (values: Float64Array, label: number) => {
    const own = values.filter((_, i) => has(query, i, label));
    return rounded(own.reduce((sum, value) => sum + value, 0) / own.length);
  };
  const several = query.sets && f1Estimates(found.votes!, query.sets, labels.length, classes.length, seed);
  const { representation, distance, dim, bits, clustering } = facts;
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
      [
        ...Object.keys(columns).map((name, index) => [name, means[index]] as const),
        ...Object.entries(several?.metrics ?? {}),
      ].map(([name, { value, low, high }]) => [
        name,
        { value: rounded(value), low: rounded(low), high: rounded(high) },
      ]),
    ),
    ...(bits ? { bits } : {}),
    ...(clustering ? { clustering } : {}),
    classes: Object.fromEntries(
      classes.flatMap((name, label) =>
        labels.some((_, i) => has(query, i, label))
          ? [
              [
                name,
                {
                  map: ofClass(columns.map, label),
                  knn_accuracy: ofClass(columns.knn_accuracy, label),
                  ...(several && { f1: rounded(several.ofLabels[label]) }),
                },
              ],
            ]
          : [],
      ),
    ),
  });
  writeQueries(paths["per-query"], {
    ids,
    labels,
    sets: query.sets,
    predictions: found.predictions,
    columns,
    metadata: { protocol, k, classes },
  });
  return `mAP ${means[Object.keys(columns).indexOf("map")].value.toFixed(3)}`;
}
