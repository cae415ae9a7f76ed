/** One step of a training: a batch, its loss, the gradients, the optimizer. */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../../shared/artifacts/head.ts";
import { hasHost, onHost } from "../../shared/compute/host.ts";
import { variablesOf } from "../../shared/compute/variables.ts";
import { gradientsOf, record, scoped } from "../engine/tape.ts";
import type { LossRun } from "../loss.ts";
import type { Network } from "../network.ts";
import { resolveSchedules } from "../schedules.ts";
import type { TrainingBatch } from "./batch.ts";
import { updater } from "./optimizer.ts";
import { checkRates, ratesAt } from "./rates.ts";
import type { OptimizerOptions, Updater } from "./updater.ts";

export interface StepOptions extends OptimizerOptions {
  network: Network;
  /** Whether embeddings are brought to length 1. */
  normalise: boolean;
  loss: LossRun;
  /** Any number of these may be a schedule, and so may the learning rate. */
  lossParams: Record<string, unknown>;
  learningRate: unknown;
}

/** Trains the network and the loss's own weights in place. @param share of all steps that are done @returns the loss */
export type Step = (batch: TrainingBatch, share: number) => Promise<number>;

/** The function that does one step, and the optimizers of the network and of the loss. */
export interface Stepper {
  doStep: Step;
  updaters: [network: Updater, loss: Updater];
}

/**
 * Starts the optimizers: the network's, and that of the loss's own weights.
 *
 * The network runs where the backend is, the loss where values can be read at once: a selector needs distances, and every
 * loss is computed in typed arrays. Both are the same place unless the backend is a GPU that is only read by awaiting.
 */
export async function stepper({ network, normalise, loss, ...options }: StepOptions): Promise<Stepper> {
  const weights = variablesOf(network.model.trainableWeights);
  checkRates(options.learningRate, network.backbone !== undefined);
  const ofNetwork = updater(weights, options, network.backbone);
  const ofLoss = await onHost(() => updater(loss.variables, options));
  const doStep: Step = ({ values, shape, labels, given }, share) =>
    scoped(async () => {
      const lossParams = resolveSchedules(options.lossParams, share);
      const rates = ratesAt(options.learningRate, share);
      const forward = record(() => network.train(tf.tensor(values, shape)));
      const read = hasHost() ? ((await forward.value.data()) as Float32Array) : undefined;
      const { value, slopes } = await onHost(() => {
        const y = read ? tf.tensor2d(read, forward.value.shape) : forward.value;
        const scored = gradientsOf(
          () =>
            loss.loss(normalise ? normaliseRows(y) : y, labels, lossParams, {
              ...given,
              share,
              examples: { values, shape },
            }),
          [y, ...loss.variables],
        );
        const [slopes, ...own] = scored.gradients;
        ofLoss.update(own, rates);
        return { value: scored.value.dataSync()[0], slopes: slopes! };
      });
      tf.tidy(() => ofNetwork.update(forward.gradients(weights, slopes), rates)); // tfjs moves the slopes to a GPU
      return value;
    });
  return { doStep, updaters: [ofNetwork, ofLoss] };
}
