/** The one training loop: any network, any loss, any sampler; the best weights by validation are kept. */
import type { HistoryRow } from "../../shared/artifacts/history.ts";
import type { SampledBatch } from "../sampler.ts";
import { resolveSchedules } from "../schedules.ts";
import type { Streams } from "../streams.ts";
import { takeBatch } from "./batch.ts";
import { BestWeights } from "./best.ts";
import type { CheckpointPlace } from "./checkpoint.ts";
import { collapseOf } from "./collapse.ts";
import { type EvaluationOptions, evaluate } from "./evaluation.ts";
import { Checkpoints } from "./state.ts";
import { type StepOptions, type Stepper, stepper } from "./step.ts";
import { Tally } from "./tally.ts";

export interface FitOptions extends StepOptions, EvaluationOptions {
  /** Draws the next batch, as indices into the training images. */
  next: () => SampledBatch;
  steps: number;
  /** Steps between two evaluations on the validation images. */
  evaluateEvery: number;
  /** Evaluations without a better validation mAP after which training ends; 0: never. */
  patience: number;
  /** The streams that steps draw from, but for that of `next`. */
  streams: Streams;
  /** Without it a killed training starts over. */
  checkpoint?: CheckpointPlace;
  /** A training that goes on after this step of a try before. */
  onResume(step: number): void;
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

/**
 * Trains the network in place and leaves the weights of the best validation mAP in it.
 * @throws Error when the loss is no longer finite
 */
export async function fit(options: FitOptions): Promise<Fitted> {
  const began = performance.now();
  const started = await stepper(options);
  try {
    return await train(options, started, began);
  } finally {
    for (const updater of started.updaters) updater.dispose();
  }
}

/** Does the steps and evaluations. @param entered when the training began, of `performance.now` */
async function train(options: FitOptions, { doStep, updaters }: Stepper, entered: number): Promise<Fitted> {
  const { data, loss, steps, signal } = options;
  let began = entered;
  const tally = new Tally(loss.counters);
  const weights = new BestWeights(options.network.model);
  const rows: HistoryRow[] = [];
  let collapse = "";
  const state = {
    model: options.network.model,
    loss,
    updaters,
    streams: options.streams,
    tally,
    best: weights,
    rows,
  };
  const checkpoints = options.checkpoint && new Checkpoints(options.checkpoint, state);
  const resumed = await checkpoints?.restore();
  if (resumed) {
    collapse = resumed.collapse;
    began -= resumed.seconds * 1000;
    for (let step = 0; step < tally.steps; step++) options.next(); // a sampler has a state beside its stream
    options.onResume(tally.steps);
  }
  const seconds = () => (performance.now() - began) / 1000;
  while (tally.steps < steps) {
    const start = performance.now();
    const batch = takeBatch(data, options.next());
    const value = await doStep(batch, tally.steps / steps);
    if (!Number.isFinite(value))
      throw new Error(
        `the loss is ${value} at step ${tally.steps + 1}. Lower learning_rate, or look at the features of this batch.`,
      );
    tally.add(value, batch.labels.length, (performance.now() - start) / 1000);
    options.onStep(tally.steps);
    if (tally.steps % options.evaluateEvery === 0 || tally.steps === steps) {
      const lossParams = resolveSchedules(options.lossParams, tally.steps / steps);
      const row = await evaluate(options, tally, lossParams, began);
      rows.push(row);
      options.onEvaluation(row);
      if (!collapse) {
        collapse = collapseOf(row, loss.collapsed?.(lossParams));
        if (collapse) options.onCollapse(`${collapse} (step ${row.step})`);
      }
      const best = weights.offer(row);
      const waited = rows.length - 1 - rows.indexOf(best);
      if (options.patience > 0 && waited >= options.patience) break;
    }
    // Room for the signal to arrive.
    if (tally.steps % 10 === 0) await new Promise(setImmediate);
    if (signal.aborted) await checkpoints?.write(collapse, seconds());
    signal.throwIfAborted();
    await checkpoints?.writeIfDue(collapse, seconds());
  }
  return { rows, best: weights.restore(), collapse };
}
