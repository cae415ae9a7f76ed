/** The one training loop: any network, any loss, any sampler; the best weights by validation are kept. */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import type { Examples } from "../../shared/artifacts/examples.ts";
import { embedRows, normaliseRows } from "../../shared/artifacts/head.ts";
import type { HistoryRow } from "../../shared/artifacts/history.ts";
import { expandSets, takeSets } from "../../shared/artifacts/label-sets.ts";
import { adam, type Optimizer } from "../engine/adam.ts";
import type { LossRun } from "../loss.ts";
import type { NamedMetric } from "../metric.ts";
import type { Network } from "../network.ts";
import type { SampledBatch } from "../sampler.ts";
import { resolveSchedules } from "../schedules.ts";
import { collapseOf } from "./collapse.ts";
import { type Embedded, validate } from "./validate.ts";

export interface FitOptions {
  examples: Examples;
  /** Rows of the examples. */
  train: Uint32Array;
  validation: Uint32Array;
  /** Training images that the validation images are to find. */
  database: Uint32Array;
  /** Whether `database` is `validation`, and each image is left out of its own ranking. */
  itself?: boolean;
  network: Network;
  dim: number;
  loss: LossRun;
  /** Whether the loss learns from pairs or triplets that a selector or a sampler chooses. */
  chooses: boolean;
  normalise: boolean;
  /** Whether validation ranks the signs of the embeddings. */
  codes: boolean;
  /** Draws the next batch, as indices into `train`. */
  next: () => SampledBatch;
  /** Of the loss and the optimizer (`learning_rate`); any number may be a schedule. */
  lossParams: Record<string, unknown>;
  learningRate: unknown;
  optimizer: "adam" | "sgd";
  steps: number;
  /** Steps between two evaluations on the validation images. */
  evaluateEvery: number;
  /** Evaluations without a better validation mAP after which training ends; 0: never. */
  patience: number;
  metrics: NamedMetric[];
  /** The loss on validation images, see {@link lossMeter}. */
  validationLoss?: (embedded: Embedded, trained: tf.Variable[], params: Record<string, unknown>) => number;
  onStep(step: number): void;
  onEvaluation(row: HistoryRow): void;
  onCollapse(reason: string): void;
  signal: AbortSignal;
}

export interface Fitted {
  rows: HistoryRow[];
  /** The step whose weights the network holds now. */
  best: HistoryRow;
  /** The first collapse seen, in words; "" when there was none. */
  collapse: string;
}

/** The weights that the gradient reaches, as tfjs's own variables. */
const variablesOf = (model: layers.LayersModel): tf.Variable[] =>
  model.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);

/** What a loss is given of a batch: where images may have several labels, these too. @param rows of the examples */
const withSets = (drawn: SampledBatch, { sets, classes }: Examples, rows: Uint32Array): SampledBatch =>
  sets ? { ...drawn, labelSets: expandSets(sets, rows, classes.length) } : drawn;

/**
 * Trains the network in place and leaves the weights of the best validation mAP in it.
 * @throws Error when the loss is no longer finite
 */
export async function fit(options: FitOptions): Promise<Fitted> {
  const { examples, train, network, loss, steps, signal } = options;
  const { counters } = loss;
  const variables = [...variablesOf(network.model), ...loss.variables];
  const optimizer =
    options.optimizer === "adam" ? adam() : (tf.train.momentum(0, 0.9) as unknown as Optimizer);
  const rows: HistoryRow[] = [];
  let best: { row: HistoryRow; weights: tf.Tensor[] } | undefined;
  let collapse = "";
  let images = 0;
  let lossSum = 0;
  let since = { step: 0, images: 0, selected: 0, active: 0, correct: 0 };
  let stepSeconds = 0;
  const began = performance.now();

  const oneStep = (step: number): void => {
    const start = performance.now();
    const share = step / steps;
    const drawn = options.next();
    const batchRows = Uint32Array.from(drawn.images, (index) => train[index]);
    const labels = Int32Array.from(batchRows, (row) => examples.labels[row]);
    const given = withSets(drawn, examples, batchRows);
    const lossParams = resolveSchedules(options.lossParams, share);
    const { learning_rate } = resolveSchedules({ learning_rate: options.learningRate }, share);
    const value = tf.tidy(() => {
      const x = tf.tensor(examples.take(batchRows), [batchRows.length, ...examples.shape]);
      const { value, grads } = tf.variableGrads(() => {
        const y = network.train(x);
        return loss.loss(options.normalise ? normaliseRows(y) : y, labels, lossParams, { ...given, share });
      }, variables);
      // A schedule needs the rate to change; tfjs keeps it as a plain field.
      optimizer.learningRate = learning_rate as number;
      optimizer.applyGradients(grads);
      return (value.dataSync() as Float32Array)[0];
    });
    if (!Number.isFinite(value))
      throw new Error(
        `the loss is ${value} at step ${step + 1}. Lower learning_rate, or look at the features of this batch.`,
      );
    lossSum += value;
    images += batchRows.length;
    stepSeconds += (performance.now() - start) / 1000;
  };

  const embedded = (rows: Uint32Array) => ({
    embeddings: embedRows(network.model, options, examples, rows),
    labels: Uint16Array.from(rows, (row) => examples.labels[row]),
    sets: examples.sets && takeSets(examples.sets, rows, examples.classes.length),
  });
  const evaluate = (step: number): void => {
    const queries = embedded(options.validation);
    const result = validate(
      { queries, database: options.itself ? queries : embedded(options.database) },
      options.dim,
      examples.classes.length,
      options.codes,
      options.itself,
    );
    const lossParams = resolveSchedules(options.lossParams, step / steps);
    const stretch = {
      steps: step - since.step,
      images: images - since.images,
      selected: counters.selected - since.selected,
      active: counters.active - since.active,
      correct: (counters.correct ?? 0) - since.correct,
    };
    const row: HistoryRow = {
      step,
      images,
      loss: lossSum / stretch.steps,
      // A loss of whole batches that counts nothing has every image at work.
      active: stretch.selected > 0 ? stretch.active / stretch.selected : Number(!options.chooses),
      triplets: counters.selected,
      ...result,
      validationLoss: options.validationLoss?.(queries, loss.variables, lossParams),
      metrics: options.metrics.map(({ metric }) => metric.value(stretch)),
      selectSeconds: counters.selectSeconds,
      gradientSeconds: stepSeconds - counters.selectSeconds,
      totalSeconds: (performance.now() - began) / 1000,
    };
    rows.push(row);
    options.onEvaluation(row);
    const { selected, active, correct = 0 } = counters;
    since = { step, images, selected, active, correct };
    lossSum = 0;
    if (!collapse) {
      collapse = collapseOf(row, loss.collapsed?.(lossParams));
      if (collapse) options.onCollapse(`${collapse} (step ${step})`);
    }
    if (best && row.map <= best.row.map) return;
    if (best) tf.dispose(best.weights);
    best = { row, weights: network.model.getWeights().map((weight) => tf.clone(weight)) };
  };

  for (let step = 0; step < steps; ) {
    oneStep(step++);
    options.onStep(step);
    if (step % options.evaluateEvery === 0 || step === steps) {
      evaluate(step);
      const waited = rows.length - 1 - rows.indexOf(best!.row);
      if (options.patience > 0 && waited >= options.patience) break;
    }
    // Room for the signal to arrive.
    if (step % 10 === 0) await new Promise(setImmediate);
    signal.throwIfAborted();
  }
  network.model.setWeights(best!.weights);
  tf.dispose(best!.weights);
  return { rows, best: best!.row, collapse };
}
