/** The one training loop: any network, any loss, any sampler; the best weights by validation are kept. */
import type { HistoryRow } from "../../shared/artifacts/history.ts";
import type { SampledBatch } from "../sampler.ts";
import { resolveSchedules } from "../schedules.ts";
import { takeBatch } from "./batch.ts";
import { BestWeights } from "./best.ts";
import { collapseOf } from "./collapse.ts";
import { type EvaluationOptions, evaluate } from "./evaluation.ts";
import { type StepOptions, stepper } from "./step.ts";
import { Tally } from "./tally.ts";

export interface FitOptions extends StepOptions, EvaluationOptions {
  /** Draws the next batch, as indices into the training images. */
  next: () => SampledBatch;
  steps: number;
  /** Steps between two evaluations on the validation images. */
  evaluateEvery: number;
  /** Evaluations without a better validation mAP after which training ends; 0: never. */
  patience: number;
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
  const { data, loss, steps, signal } = options;
  const began = performance.now();
  const doStep = await stepper(options);
  const tally = new Tally(loss.counters);
  const weights = new BestWeights(options.network.model);
  const rows: HistoryRow[] = [];
  let best: HistoryRow | undefined;
  let collapse = "";
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
      best = weights.offer(row);
      const waited = rows.length - 1 - rows.indexOf(best);
      if (options.patience > 0 && waited >= options.patience) break;
    }
    // Room for the signal to arrive.
    if (tally.steps % 10 === 0) await new Promise(setImmediate);
    signal.throwIfAborted();
  }
  weights.restore();
  return { rows, best: best!, collapse };
}
