/** Opens what a training wrote down: its history, and the seconds it took. */
import type { InputFile, Point } from "../../runner/stage.ts";
import { labelOf } from "./groups.ts";
import { numbers, readMetadata, readTable } from "./tables.ts";

/** A training, one value an evaluation. */
export interface History {
  id: string;
  /** Of its group. */
  label: string;
  point: Point;
  hash: string;
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
  id: string;
  /** Of its group. */
  label: string;
  point: Point;
  step: Uint32Array;
  select: Float64Array;
  gradient: Float64Array;
  total: Float64Array;
}

/** A training's group. Trainings under two protocols learn on other images: no mean is taken over them. */
function groupOf(point: Point, id: string): string {
  const label = labelOf(point, id);
  return point.protocol === undefined ? label : `${label} · ${point.protocol}`;
}

/** Reads a `history`. @throws UserError when it is none */
export function readHistory({ path, id, point, hash }: InputFile): History {
  const table = readTable(path, "history");
  return {
    id,
    label: groupOf(point, id),
    point,
    hash,
    metadata: readMetadata(table),
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

/** Whether a training uses triplets or pairs. A classifier uses neither, and counts its images in their place. */
export const usesTriplets = ({ triplets, images }: History): boolean =>
  triplets.some((count, at) => count > 0 && count !== images[at]);

/** Reads a `timings`. @throws UserError when it is none */
export function readTimings({ path, id, point }: InputFile): Timings {
  const table = readTable(path, "timings");
  return {
    id,
    label: groupOf(point, id),
    point,
    step: numbers(table, "step"),
    select: numbers(table, "select_seconds"),
    gradient: numbers(table, "gradient_seconds"),
    total: numbers(table, "total_seconds"),
  };
}
