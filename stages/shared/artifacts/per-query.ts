/** Opens the metrics of each query. */
import { type InputFile, type Point, UserError } from "../../../runner/stage.ts";
import { numbers, readMetadata, readTable } from "./tables.ts";

/** One run's queries. */
export interface Queries {
  id: string;
  point: Point;
  protocol: string;
  classes: string[];
  ids: Uint32Array;
  /** What each is, and what kNN takes it for. */
  labels: Uint16Array;
  predictions: Uint16Array;
  /** One value a query, by the name of the metric that is their mean. */
  scores: Record<string, Float64Array>;
}

/** Reads a `per-query`. @throws UserError when it is none */
export function readQueries({ path, id, point }: InputFile): Queries {
  const table = readTable(path, "per-query");
  const labels = numbers<Uint16Array>(table, "label");
  const { protocol, classes } = readMetadata(table) as { protocol: string; classes: string[] };
  const predictions = numbers<Uint16Array>(table, "prediction");
  return {
    id,
    point,
    protocol,
    classes,
    ids: numbers(table, "id"),
    labels,
    predictions,
    scores: {
      map: Float64Array.from(numbers<Float32Array>(table, "average_precision")),
      knn_accuracy: Float64Array.from(labels, (label, query) => (predictions[query] === label ? 1 : 0)),
    },
  };
}

/** @throws UserError when runs of one protocol asked different queries: they could not be paired */
export function checkPaired(runs: Queries[]): void {
  for (const run of runs)
    if (run.ids.length !== runs[0].ids.length || run.ids.some((id, at) => id !== runs[0].ids[at]))
      throw new UserError(
        `report: ${run.id} and ${runs[0].id} have other queries. Evaluate both with the same split.`,
      );
}
