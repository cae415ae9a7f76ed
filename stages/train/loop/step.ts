/** One step of a training: a batch, its loss, the gradients, the optimizer. */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import type { LossRun } from "../loss.ts";
import type { Network } from "../network.ts";
import { resolveSchedules } from "../schedules.ts";
import type { TrainingBatch } from "./batch.ts";
import { type OptimizerName, optimizerOf } from "./optimizer.ts";

export interface StepOptions {
  network: Network;
  /** Whether embeddings are brought to length 1. */
  normalise: boolean;
  loss: LossRun;
  /** Any number of these may be a schedule, and so may the learning rate. */
  lossParams: Record<string, unknown>;
  learningRate: unknown;
  optimizer: OptimizerName;
}

/** The weights that the gradient reaches, as tfjs's own variables. */
const variablesOf = (model: layers.LayersModel): tf.Variable[] =>
  model.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);

/** Trains the network and the loss's own weights in place. @param share of all steps that are done @returns the loss */
export type Step = (batch: TrainingBatch, share: number) => Promise<number>;

/** Starts the optimizer. @returns the function that does one step */
export function stepper({ network, normalise, loss, ...options }: StepOptions): Step {
  const variables = [...variablesOf(network.model), ...loss.variables];
  const optimizer = optimizerOf(options.optimizer);
  return async ({ values, shape, labels, given }, share) => {
    const lossParams = resolveSchedules(options.lossParams, share);
    const { learning_rate } = resolveSchedules({ learning_rate: options.learningRate }, share);
    return tf.tidy(() => {
      const x = tf.tensor(values, shape);
      const { value, grads } = tf.variableGrads(() => {
        const y = network.train(x);
        return loss.loss(normalise ? normaliseRows(y) : y, labels, lossParams, { ...given, share });
      }, variables);
      // A schedule needs the rate to change; tfjs keeps it as a plain field.
      optimizer.learningRate = learning_rate as number;
      optimizer.applyGradients(grads);
      return (value.dataSync() as Float32Array)[0];
    });
  };
}
