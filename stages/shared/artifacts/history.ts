/** The artifacts `history` and `timings`: the evaluations of a training, and the seconds that it took. */
import { type DataType, Float32, Float64, Uint32 } from "apache-arrow";
import type { InputFile, Point } from "../../../runner/stage.ts";
import { labelOf, tellApart } from "../runs/groups.ts";
import { type Recipe, sameTraining } from "../runs/recipe.ts";
import { numbers, readMetadata, readTable, writeTable } from "./arrow.ts";

/** A training, one value an evaluation. */
export interface History {
  id: string;
  /** Of its group. */
  label: string;
  point: Point;
  hash: string;
  recipe: Recipe;
  /** Under which it trained: which images it learned from, and validated on. */
  protocol: string;
  metadata: Record<string, unknown>;
  step: Uint32Array;
  epoch: Float32Array;
  /** Seen so far. */
  images: Float64Array;
  /** Mean since the last row. */
  loss: Float32Array;
  /** Share of triplets or pairs with a loss > 0; 1 where the loss is made of neither. */
  active: Float32Array;
  /** Used so far. */
  triplets: Float64Array;
  /** Variance of the validation embeddings, as a share of their squared length. */
  spread: Float32Array;
  validationMap: Float32Array;
  validationAccuracy: Float32Array;
}

/** The seconds of a training so far, one value an evaluation. */
export interface Timings {
  /** Of the training. */
  id: string;
  step: Uint32Array;
  select: Float64Array;
  gradient: Float64Array;
  total: Float64Array;
  /** Cores of the machine, and how many of them others kept busy meanwhile; undefined where nobody measured it. */
  cores?: number;
  others?: number;
}

/** The name of a training, or of the choice for it. Two protocols learn on other images: no mean is taken over both. */
export function protocolLabel(point: Point, id: string): string {
  const label = labelOf(point, id);
  return point.protocol === undefined ? label : `${label} · ${point.protocol}`;
}

function readHistory({ path, id, point, hash }: InputFile): History {
  const table = readTable(path, "history");
  const metadata = readMetadata(table);
  const recipe = (metadata.made ?? {}) as Recipe;
  return {
    id,
    label: protocolLabel(point, id),
    point,
    hash,
    recipe,
    protocol: String(recipe.training?.protocol ?? point.protocol ?? ""),
    metadata,
    step: numbers(table, "step"),
    epoch: numbers(table, "epoch"),
    images: numbers(table, "images"),
    loss: numbers(table, "loss"),
    active: numbers(table, "active"),
    triplets: numbers(table, "triplets"),
    spread: numbers(table, "spread"),
    validationMap: numbers(table, "validation_map"),
    validationAccuracy: numbers(table, "validation_accuracy"),
  };
}

/** Reads several `history`: trainings that are not alike have no label in common. @throws UserError when one is none */
export const readHistories = (files: InputFile[]): History[] =>
  tellApart(files.map(readHistory), ({ protocol }) => protocol);

/**
 * Whether a training uses triplets or pairs. A classifier uses neither, and counts its images in their place; a selector
 * may take one for each image.
 */
export const usesTriplets = ({ triplets, images, metadata }: History): boolean =>
  Boolean(metadata.selector) || triplets.some((count, at) => count > 0 && count !== images[at]);

/** The very training that a result was made from. */
export const trainingOf = (histories: History[], recipe: Recipe): History | undefined =>
  histories.find((history) => sameTraining(history.recipe, recipe));

/** The seconds of each training, those of trainings without a history left out. */
export const timedHistories = (histories: History[], timings: Timings[]): [History, Timings][] =>
  histories.flatMap((history): [History, Timings][] => {
    const timed = timings.find(({ id }) => id === history.id); // both are of one instance
    return timed && timed.step.length > 0 ? [[history, timed]] : [];
  });

/** Reads `timings`. @throws UserError when the file is another artifact */
export function readTimings({ path, id }: InputFile): Timings {
  const table = readTable(path, "timings");
  const { cores, others_busy } = readMetadata(table) as { cores?: number; others_busy?: number | null };
  return {
    id,
    cores,
    others: others_busy ?? undefined,
    step: numbers(table, "step"),
    select: numbers(table, "select_seconds"),
    gradient: numbers(table, "gradient_seconds"),
    total: numbers(table, "total_seconds"),
  };
}

/** One evaluation of a training, to be written. */
export interface HistoryRow {
  step: number;
  images: number;
  loss: number;
  active: number;
  triplets: number;
  spread: number;
  map: number;
  accuracy: number;
  validationLoss?: number;
  /** The values of the metrics of the training. */
  metrics: number[];
  selectSeconds: number;
  gradientSeconds: number;
  totalSeconds: number;
}

/** Cores, and the mean number of them that other processes used; null if the machine does not report it. */
export interface Machine {
  cores: number;
  others_busy: number | null;
}

const [whole, single, double] = [new Uint32(), new Float32(), new Float64()];

/** A column's type, and its value in a row. */
type Column = [type: DataType, of: (row: HistoryRow) => number];

function arrayOf(type: DataType, values: number[]) {
  if (type === whole) return Uint32Array.from(values);
  return type === single ? Float32Array.from(values) : Float64Array.from(values);
}

function writeRows(
  path: string,
  artifact: string,
  columns: Record<string, Column>,
  rows: HistoryRow[],
  metadata: object = {},
) {
  const each = <T>(make: (column: Column) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, make(column)]));
  const types = each(([type]) => type);
  const values = each(([type, of]) => arrayOf(type, rows.map(of)));
  writeTable(path, artifact, types, rows.length, values, { ...metadata });
}

/**
 * @param images of the training set: an epoch
 * @param metrics names, in the order of {@link HistoryRow.metrics}
 */
export function writeHistory(
  path: string,
  rows: HistoryRow[],
  images: number,
  metrics: string[],
  made: object,
): void {
  const columns: Record<string, Column> = {
    step: [whole, (row) => row.step],
    epoch: [single, (row) => row.images / images],
    images: [double, (row) => row.images],
    loss: [single, (row) => row.loss],
    active: [single, (row) => row.active],
    triplets: [double, (row) => row.triplets],
    spread: [single, (row) => row.spread],
    validation_map: [single, (row) => row.map],
    validation_accuracy: [single, (row) => row.accuracy],
  };
  if (rows[0].validationLoss !== undefined)
    columns.validation_loss = [single, (row) => row.validationLoss as number];
  for (const [index, name] of metrics.entries())
    columns[`metric_${name.replaceAll("-", "_")}`] = [single, (row) => row.metrics[index]];
  writeRows(path, "history", columns, rows, made);
}

export function writeTimings(path: string, rows: HistoryRow[], machine: Machine): void {
  const columns: Record<string, Column> = {
    step: [whole, (row) => row.step],
    select_seconds: [double, (row) => row.selectSeconds],
    gradient_seconds: [double, (row) => row.gradientSeconds],
    total_seconds: [double, (row) => row.totalSeconds],
  };
  writeRows(path, "timings", columns, rows, machine);
}
