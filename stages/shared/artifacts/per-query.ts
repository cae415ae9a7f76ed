/** The artifact `per-query`: the metrics of each query. */
import { Float32, Uint16, Uint32 } from "apache-arrow";
import { type InputFile, type Point, UserError } from "../../../runner/stage.ts";
import { numbers, readMetadata, readTable, writeTable } from "./arrow.ts";
import { hasLabel, readSets, setBytes, setsColumn } from "./label-sets.ts";

/** The metrics that have a column of their own name. */
const METRICS = ["map", "precision@10", "r_precision", "map_at_r"];

/** Queries to be written. */
export interface QueryColumns {
  ids: Uint32Array;
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  /** The classes that kNN gives them. */
  predictions: Uint16Array;
  /** `[queries]` each, by metric. */
  columns: Record<string, Float64Array>;
  metadata: { protocol: string; k: number; classes: string[] };
}

/** Writes `per-query`. */
export function writeQueries(
  path: string,
  { ids, labels, sets, predictions, columns, metadata }: QueryColumns,
): void {
  const each = <T>(make: (name: string) => T) =>
    Object.fromEntries(METRICS.map((name) => [name, make(name)]));
  writeTable(
    path,
    "per-query",
    {
      id: new Uint32(),
      label: new Uint16(),
      ...setsColumn(sets !== undefined, metadata.classes.length),
      prediction: new Uint16(),
      ...each(() => new Float32()),
    },
    labels.length,
    {
      id: ids,
      label: labels.slice(),
      ...(sets && { labels: sets.slice() }),
      prediction: predictions.slice(),
      ...each((name) => Float32Array.from(columns[name])),
    },
    metadata,
  );
}

/** One run's queries. */
export interface Queries {
  id: string;
  point: Point;
  protocol: string;
  classes: string[];
  ids: Uint32Array;
  /** The class of each query, and the class that kNN gives it. */
  labels: Uint16Array;
  predictions: Uint16Array;
  /** One value per query, by metric. */
  columns: Record<string, Float64Array>;
}

/** Whether a file has the columns of today: older code wrote others, which cannot be paired with these. */
export function isPerQuery({ path }: InputFile): boolean {
  try {
    readTable(path, "per-query");
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Reads `per-query`. @throws UserError when the file is another artifact */
export function readQueries({ path, id, point }: InputFile): Queries {
  const table = readTable(path, "per-query");
  const labels = numbers<Uint16Array>(table, "label");
  const { protocol, classes } = readMetadata(table) as { protocol: string; classes: string[] };
  const predictions = numbers<Uint16Array>(table, "prediction");
  const ids = numbers<Uint32Array>(table, "id");
  const sets = readSets(table, { ids, labels, classes: classes.length }, path);
  const right = (query: number) =>
    sets
      ? hasLabel(sets, query, predictions[query], setBytes(classes.length))
      : predictions[query] === labels[query];
  return {
    id,
    point,
    protocol,
    classes,
    ids,
    labels,
    predictions,
    columns: {
      map: Float64Array.from(numbers<Float32Array>(table, "map")),
      knn_accuracy: Float64Array.from(labels, (_, query) => (right(query) ? 1 : 0)),
    },
  };
}

/** @throws UserError when runs of one protocol have different queries: they cannot be paired */
export function checkPaired(runs: Queries[]): void {
  for (const run of runs)
    if (run.ids.length !== runs[0].ids.length || run.ids.some((id, at) => id !== runs[0].ids[at]))
      throw new UserError(
        `report: ${run.id} and ${runs[0].id} have different queries. Evaluate both with the same split.`,
      );
}
