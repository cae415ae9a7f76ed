/** The weights of the best evaluation so far. */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import type { HistoryRow } from "../../shared/artifacts/history.ts";
import { valuesOf } from "../../shared/compute/variables.ts";

/** The best weights as plain values. */
export interface SavedBest {
  /** Of their evaluation. */
  step: number;
  weights: Float32Array[];
}

/** Holds a copy of a model's weights, those of the evaluation with the highest validation mAP; of equal ones the first. */
export class BestWeights {
  readonly #model: layers.LayersModel;
  #kept?: { row: HistoryRow; weights: tf.Tensor[] };

  constructor(model: layers.LayersModel) {
    this.#model = model;
  }

  /** Copies the weights if this evaluation of them is the best. @returns the best so far */
  offer(row: HistoryRow): HistoryRow {
    const kept = this.#kept;
    if (kept && row.map <= kept.row.map) return kept.row;
    if (kept) tf.dispose(kept.weights);
    this.#kept = { row, weights: this.#model.getWeights().map((weight) => tf.clone(weight)) };
    return row;
  }

  /** The best weights as plain values; undefined before the first evaluation. */
  async save(): Promise<SavedBest | undefined> {
    if (!this.#kept) return undefined;
    const { row, weights } = this.#kept;
    return { step: row.step, weights: await valuesOf(weights) };
  }

  /** Keeps what another run saved. @param rows its evaluations */
  load({ step, weights }: SavedBest, rows: HistoryRow[]): void {
    const shapes = this.#model.getWeights().map(({ shape }) => shape);
    this.#kept = {
      row: rows.find((row) => row.step === step)!,
      weights: weights.map((values, at) => tf.tensor(values, shapes[at])),
    };
  }

  /** Gives the model the kept weights back. @returns their evaluation */
  restore(): HistoryRow {
    const { row, weights } = this.#kept!;
    this.#model.setWeights(weights);
    tf.dispose(weights);
    return row;
  }
}
