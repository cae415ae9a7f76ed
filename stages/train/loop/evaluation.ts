/** An evaluation on the validation images: a row of the history. */
import type * as tf from "@tensorflow/tfjs-core";
import { embedRows } from "../../shared/artifacts/head.ts";
import type { HistoryRow } from "../../shared/artifacts/history.ts";
import { takeSets } from "../../shared/artifacts/label-sets.ts";
import { onHost } from "../../shared/compute/host.ts";
import { labelsOf, type TrainingData } from "../data.ts";
import type { LossRun } from "../loss.ts";
import type { NamedMetric } from "../metric.ts";
import type { Network } from "../network.ts";
import type { Tally } from "./tally.ts";
import { type Embedded, validate } from "./validate.ts";

export interface EvaluationOptions {
  data: TrainingData;
  network: Network;
  dim: number;
  normalise: boolean;
  loss: LossRun;
  /** Whether the loss learns from pairs or triplets that a selector or a sampler chooses. */
  chooses: boolean;
  /** Whether validation ranks the signs of the embeddings. */
  codes: boolean;
  metrics: NamedMetric[];
  /** The loss on validation images, see {@link lossMeter}. */
  validationLoss?: (embedded: Embedded, trained: tf.Variable[], params: Record<string, unknown>) => number;
}

/** Embeds rows of the examples, with their labels. */
async function embed(options: EvaluationOptions, rows: Uint32Array): Promise<Embedded> {
  const { examples } = options.data;
  return {
    embeddings: await embedRows(options.network.model, options, examples, rows),
    labels: labelsOf(examples, rows),
    sets: examples.sets && takeSets(examples.sets, rows, examples.classes.length),
  };
}

/**
 * Evaluates the network as it is.
 * @param tally of the steps so far
 * @param lossParams of this step: schedules are resolved to numbers
 * @param began when the training began, as `performance.now()` gave it
 */
export async function evaluate(
  options: EvaluationOptions,
  tally: Tally,
  lossParams: Record<string, unknown>,
  began: number,
): Promise<HistoryRow> {
  const { data, loss } = options;
  const queries = await embed(options, data.validation);
  const database = data.itself ? queries : await embed(options, data.database);
  const classes = data.examples.classes.length;
  const { result, validationLoss } = await onHost(() => ({
    result: validate({ queries, database }, options.dim, classes, options.codes, data.itself),
    validationLoss: options.validationLoss?.(queries, loss.variables, lossParams),
  }));
  const stretch = tally.takeStretch();
  const { selectSeconds } = loss.counters;
  return {
    step: tally.steps,
    images: tally.images,
    loss: stretch.loss,
    // A loss of whole batches that counts nothing has every image at work.
    active: stretch.selected > 0 ? stretch.active / stretch.selected : Number(!options.chooses),
    triplets: loss.counters.selected,
    ...result,
    validationLoss,
    metrics: options.metrics.map(({ metric }) => metric.value(stretch)),
    selectSeconds,
    gradientSeconds: tally.seconds - selectSeconds,
    totalSeconds: (performance.now() - began) / 1000,
  };
}
