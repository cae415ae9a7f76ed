/** The state of a training between two steps: everything that the next steps depend on. */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import type { HistoryRow } from "../../shared/artifacts/history.ts";
import { onHost } from "../../shared/compute/host.ts";
import { valuesOf, variablesOf } from "../../shared/compute/variables.ts";
import type { LossRun } from "../loss.ts";
import type { Places, Streams } from "../streams.ts";
import type { BestWeights, SavedBest } from "./best.ts";
import { type CheckpointPlace, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";

import type { SavedTally, Tally } from "./tally.ts";
import type { SavedUpdater, Updater } from "./updater.ts";

/** Everything that changes from step to step. */
export interface TrainingState {
  model: layers.LayersModel;
  loss: LossRun;
  updaters: Updater[];
  streams: Streams;
  tally: Tally;
  best: BestWeights;
  rows: HistoryRow[];
}

/** The same as plain values. */
interface Saved {
  weights: Float32Array[];
  lossWeights: Float32Array[];
  updaters: SavedUpdater[];
  places: Places;
  tally: SavedTally;
  best?: SavedBest;
  rows: HistoryRow[];
  collapse: string;
  /** Since the training began, the time between two tries left out. */
  seconds: number;
}

const assign = (variables: tf.Variable[], values: Float32Array[]): void =>
  tf.tidy(() => {
    for (const [at, variable] of variables.entries()) variable.assign(tf.tensor(values[at], variable.shape));
  });

/** Writes and reads the state of one training. */
export class Checkpoints {
  readonly #place: CheckpointPlace;
  readonly #state: TrainingState;
  #written = performance.now();

  constructor(place: CheckpointPlace, state: TrainingState) {
    this.#place = place;
    this.#state = state;
  }

  /** Writes a checkpoint. @param seconds since the training began */
  async write(collapse: string, seconds: number): Promise<void> {
    const { model, loss, updaters, streams, tally, best, rows } = this.#state;
    const saved: Saved = {
      weights: await valuesOf(variablesOf(model.weights)),
      lossWeights: await valuesOf(loss.variables),
      updaters: await Promise.all(updaters.map((updater) => updater.save())),
      places: streams.save(),
      tally: tally.save(),
      best: await best.save(),
      rows,
      collapse,
      seconds,
    };
    writeCheckpoint(this.#place.folder, saved);
    this.#written = performance.now();
  }

  /** Writes one if the last is old enough. */
  async writeIfDue(collapse: string, seconds: number): Promise<void> {
    if (performance.now() - this.#written >= this.#place.seconds * 1000) await this.write(collapse, seconds);
  }

  /** Puts the state of a try before into the training's. @returns what the loop keeps itself; undefined without a checkpoint */
  async restore(): Promise<Pick<Saved, "collapse" | "seconds"> | undefined> {
    const saved = readCheckpoint<Saved>(this.#place.folder);
    if (!saved) return undefined;
    const { model, loss, updaters, streams, tally, best, rows } = this.#state;
    assign(variablesOf(model.weights), saved.weights);
    await onHost(() => assign(loss.variables, saved.lossWeights));
    const [ofNetwork, ofLoss] = updaters;
    ofNetwork.restore(saved.updaters[0]);
    await onHost(() => ofLoss.restore(saved.updaters[1]));
    streams.restore(saved.places);
    tally.restore(saved.tally);
    rows.push(...saved.rows);
    if (saved.best) best.load(saved.best, rows);
    return saved;
  }
}
