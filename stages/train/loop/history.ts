/** What a training writes down: one row an evaluation. See the artifacts `history` and `timings`. */
import { type DataType, Float32, Float64, Uint32 } from "apache-arrow";
import { writeTable } from "../../shared/artifacts/tables.ts";
import type { Row } from "./fit.ts";
import type { Machine } from "./others.ts";

const [whole, single, double] = [new Uint32(), new Float32(), new Float64()];

/** A column's type, and its value in a row. */
type Column = [type: DataType, of: (row: Row) => number];

function arrayOf(type: DataType, values: number[]) {
  if (type === whole) return Uint32Array.from(values);
  return type === single ? Float32Array.from(values) : Float64Array.from(values);
}

function write(
  path: string,
  artifact: string,
  columns: Record<string, Column>,
  rows: Row[],
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
 * @param metrics names, in the order of {@link Row.metrics}
 */
export function writeHistory(
  path: string,
  rows: Row[],
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
  write(path, "history", columns, rows, made);
}

export function writeTimings(path: string, rows: Row[], machine: Machine): void {
  const columns: Record<string, Column> = {
    step: [whole, (row) => row.step],
    select_seconds: [double, (row) => row.selectSeconds],
    gradient_seconds: [double, (row) => row.gradientSeconds],
    total_seconds: [double, (row) => row.totalSeconds],
  };
  write(path, "timings", columns, rows, machine);
}
