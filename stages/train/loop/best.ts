/** The weights of the best evaluation so far. */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import type { HistoryRow } from "../../shared/artifacts/history.ts";

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

  /** Gives the model the kept weights back. */
  restore(): void {
    const { weights } = this.#kept!;
    this.#model.setWeights(weights);
    tf.dispose(weights);
  }
}
