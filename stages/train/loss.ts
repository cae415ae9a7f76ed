/** The interface of the files of losses/: parts of the stage `train`. */
import type * as tf from "@tensorflow/tfjs-core";
import {
  type ParamSchemas,
  type ParamsOf,
  type PartDefinition,
  UserError,
  type WithSchemas,
} from "../../runner/stage.ts";
import type { Random } from "../shared/compute/random.ts";
import type { LearnedCodes } from "./hashing/learned.ts";
import type { Given } from "./scoring/batch.ts";
import type { Earlier } from "./scoring/memory.ts";
import type { PairSelector, TripletSelector } from "./selector.ts";

/** The arguments of {@link Loss.start}: known before the first step. */
export interface LossSetup {
  dim: number;
  classes: number;
  /** As the study gives them, schedules unresolved: for params that shape the loss's own weights. */
  params: Record<string, unknown>;
  /** For the loss's own weights, where it has some. */
  random: Random;
  /** Chooses the pairs or triplets; present if the loss {@link Loss.selects} some and no sampler gives them. */
  selector?: { part: TripletSelector | PairSelector; params: Record<string, unknown>; random: Random };
}

/** Sums over the steps so far. */
export interface Counters {
  /** Pairs or triplets of images selected, and those with a loss above 0; both 0 for a loss that uses neither. */
  selected: number;
  active: number;
  /** In selecting and scoring, the distances included. */
  selectSeconds: number;
  /** Images that the loss's own classifier put into the right class; absent for a loss without a classifier. */
  correct?: number;
  /** The embeddings of earlier batches that a loss with a memory holds. */
  memory?: Earlier;
  /** The codes of training images that a loss learns. */
  codes?: LearnedCodes;
}

/** A loss during a training. @typeParam P the params that it declares */
export interface LossRun<P = Record<string, unknown>> {
  /** Weights of its own that train with the network: a classifier, proxies. */
  variables: tf.Variable[];
  counters: Counters;
  /**
   * The loss of one batch, with its gradient.
   * @param embeddings `[batch, dim]`
   * @param labels `[batch]`
   * @param params of this step: schedules are resolved to numbers
   * @param given pairs or triplets from the sampler; they replace those of a selector
   */
  loss(embeddings: tf.Tensor2D, labels: Int32Array, params: P, given?: Given): tf.Scalar;
  /** The loss when all embeddings are equal, if a training can get stuck there (a hinge does). */
  collapsed?(params: P): number | undefined;
}

/** A loss. Define one with {@link defineLoss}, `tripletLoss`, `pairLoss` or `batchLoss`. */
export interface Loss<P = Record<string, unknown>> extends PartDefinition {
  /** Whether the embeddings are scaled to length 1. */
  normalise: boolean;
  /** Whether the embeddings are trained for their signs: validation then ranks sign codes. */
  codes?: boolean;
  /** Whether it learns codes of the training images themselves, with their labels, beside the network. */
  learnsCodes?: boolean;
  selects: "triplets" | "pairs" | "nothing";
  /** Whether images may have several labels: the loss then goes by {@link Given.labelSets}, or by a batch made with them. */
  several?: boolean;
  /** Whether it uses no labels: all images may then have one label, or each another. */
  unlabelled?: boolean;
  start(setup: LossSetup): LossRun<P>;
}

/** Declares a loss. `params` are JSON Schemas; the params of its functions have the types that these accept. */
export function defineLoss<const S extends ParamSchemas>(
  loss: WithSchemas<Loss<ParamsOf<S>>, S>,
): Loss<ParamsOf<S>> {
  return loss;
}

/** Counters at 0. */
export const noCounts = (): Counters => ({ selected: 0, active: 0, selectSeconds: 0 });

/** The error for NaN or an infinity in the embeddings. @param what the subject and verb of the message */
export function notFinite(what: string): UserError {
  return new UserError(
    `train: ${what} NaN or infinite. Look for such values in the features, or lower the learning rate.`,
  );
}

/** @throws UserError when a label is not a class: it would have no weights */
export function checkLabels(labels: Int32Array, classes: number): void {
  for (const label of labels)
    if (label < 0 || label >= classes)
      throw new UserError(
        `train: a label is ${label}, but there are ${classes} classes (0 to ${classes - 1}). Correct the data set.`,
      );
}
