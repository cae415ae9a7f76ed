/** Opens what a training wrote down: its history, and the seconds it took. */
import type { InputFile, Point } from "../../../runner/stage.ts";
import { labelOf, tellApart } from "../runs/groups.ts";
import { type Recipe, sameTraining } from "../runs/recipe.ts";
import { numbers, readMetadata, readTable } from "./tables.ts";

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

/** The name of a training, or of what was chosen for it. Two protocols learn on other images: no mean is taken over both. */
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

/** Reads a `timings`. @throws UserError when it is none */
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
