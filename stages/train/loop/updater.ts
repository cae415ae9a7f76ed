/** The interface of the optimizers of some weights, on every backend. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Rates } from "./rates.ts";

export interface OptimizerOptions {
  /** `sgd` has a momentum of 0.9. */
  optimizer: "adam" | "sgd";
  /** Each step takes this share of the learning rate away from every weight but biases; absent: none. */
  weightDecay?: number;
  /** The largest length of all gradients together; absent: any. */
  clip?: number;
}

/** Moves weights by their gradients, undefined for a weight that nothing depends on: once a step. */
export type Update = (gradients: (tf.Tensor | undefined)[], rates: Rates) => void;

/** The optimizers of some weights. */
export interface Updater {
  update: Update;
  save(): Promise<SavedUpdater>;
  /** Goes on from the state of another run. */
  restore(saved: SavedUpdater): void;
  /** Frees its tensors; the weights stay. */
  dispose(): void;
}

/** The states of the optimizers, in their order: numbers, and the slots of each weight by its place among all. */
export type SavedUpdater = { numbers: number[]; slots: [at: number, values: Float32Array[]][] }[];
