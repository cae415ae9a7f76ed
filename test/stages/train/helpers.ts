/** Shared by the tests of losses and selectors: batches, one loss at work, gradients by finite differences. */
import * as tf from "@tensorflow/tfjs-core";
import { type Random, random } from "../../../stages/shared/compute/random.ts";
import type { Loss, LossRun } from "../../../stages/train/loss.ts";
import {
  type Batch,
  batchOf,
  type Given,
  type PairSet,
  type Triplets,
} from "../../../stages/train/scoring/batch.ts";
import type { PairSelector, TripletSelector } from "../../../stages/train/selector.ts";

/** `[rows, dim]`, as the embeddings of a batch. */
export type Rows = number[][];

/** A batch out of embeddings, with its distances in float64 rounded once. */
export function batchFrom(embeddings: Rows, labels: ArrayLike<number>): Batch {
  const squared = embeddings.flatMap((a) =>
    embeddings.map((b) => a.reduce((sum, x, k) => sum + (x - b[k]) ** 2, 0)),
  );
  return batchOf(Int32Array.from(labels), Float32Array.from(squared), embeddings[0].length);
}

/** Seeded rows; on the unit sphere where `unit`. */
export function randomRows(stream: Random, size: number, dim: number, unit = false): Rows {
  return Array.from({ length: size }, () => {
    const row = Array.from({ length: dim }, () => stream.normal());
    const length = unit ? Math.hypot(...row) : 1;
    return row.map((x) => x / length);
  });
}

/** The loss's params with defaults, overridden by `given`. */
export function withDefaults(
  part: Loss | PairSelector | TripletSelector,
  given: Record<string, unknown> = {},
) {
  const defaults = Object.entries(part.params ?? {}).map(([name, schema]) => [name, schema.default]);
  return { ...Object.fromEntries(defaults), ...given };
}

export interface Setup {
  params?: Record<string, unknown>;
  selector?: TripletSelector | PairSelector;
  selectorParams?: Record<string, unknown>;
  given?: Given;
  classes?: number;
  seed?: number;
}

/** Starts a loss as the stage does. */
export function start(loss: Loss, dim: number, setup: Setup = {}): LossRun {
  const { selector, seed = 1, classes = 10 } = setup;
  return loss.start({
    dim,
    classes,
    params: withDefaults(loss, setup.params),
    random: random(seed, "loss"),
    selector: selector && {
      part: selector,
      params: withDefaults(selector, setup.selectorParams),
      random: random(seed, "selector"),
    },
  });
}

export interface Outcome {
  loss: number;
  /** dloss / dembeddings. */
  gradient: Rows;
  /** dloss / dvariable, of the loss's own variables. */
  variables: Float32Array[];
  run: LossRun;
}

/** One batch through a loss: its value and its gradient. */
export function lossOf(
  loss: Loss,
  embeddings: Rows,
  labels: ArrayLike<number>,
  setup: Setup = {},
  run = start(loss, embeddings[0].length, setup),
): Outcome {
  const params = withDefaults(loss, setup.params);
  tf.engine().startScope();
  const x = tf.variable(tf.tensor2d(embeddings));
  const { value, grads } = tf.variableGrads(
    () => run.loss(x as unknown as tf.Tensor2D, Int32Array.from(labels), params, setup.given),
    [x, ...run.variables],
  );
  const outcome = {
    loss: value.dataSync()[0],
    gradient: rowsOf(grads[x.name].dataSync() as Float32Array, embeddings[0].length),
    variables: run.variables.map((variable) => grads[variable.name].dataSync() as Float32Array),
    run,
  };
  x.dispose();
  tf.engine().endScope();
  return outcome;
}

export function rowsOf(values: ArrayLike<number>, width: number): Rows {
  return Array.from({ length: values.length / width }, (_, i) =>
    Array.from({ length: width }, (_, j) => values[i * width + j]),
  );
}

/** Central differences of `f` at `rows`. */
export function finiteDifferences(f: (rows: Rows) => number, rows: Rows, h = 1e-5): Rows {
  const at = rows.map((row) => [...row]);
  return rows.map((row, i) =>
    row.map((value, j) => {
      at[i][j] = value + h;
      const above = f(at);
      at[i][j] = value - h;
      const below = f(at);
      at[i][j] = value;
      return (above - below) / (2 * h);
    }),
  );
}

/** The largest difference, relative to the largest value that was expected (at least `floor`). */
export function relativeError(found: Rows, expected: Rows, floor = 1e-12): number {
  let error = 0;
  let most = floor;
  for (const [i, row] of expected.entries())
    for (const [j, value] of row.entries()) {
      const difference = Math.abs(found[i][j] - value);
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(error, difference);
      most = Math.max(most, Math.abs(value));
    }
  return error / most;
}

/** The listed triplets that a selector chooses, with its default params. */
export const select = (
  selector: TripletSelector,
  batch: Batch,
  margin = 0.2,
  params: Record<string, unknown> = {},
  seed = 1,
): Triplets =>
  selector.select(batch, margin, random(seed, "selector"), withDefaults(selector, params)) as Triplets;

/** The pairs that a selector chooses, with its default params. */
export const selectPairs = (
  selector: PairSelector,
  batch: Batch,
  params: Record<string, unknown> = {},
  seed = 1,
): PairSet => selector.select(batch, random(seed, "selector"), withDefaults(selector, params));

/** Index triplets as sorted text, so that sets can be compared. */
export function tripletSet({ anchors, positives, negatives, count }: Triplets): string[] {
  return Array.from({ length: count }, (_, t) => `${anchors[t]},${positives[t]},${negatives[t]}`).sort();
}

/** Euclidean distance of two rows. */
export const distance = (a: number[], b: number[]): number => Math.hypot(...a.map((x, k) => x - b[k]));
