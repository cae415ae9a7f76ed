/** The totals of a training so far: sums over its steps. */
import type { Counters } from "../loss.ts";
import type { Stretch } from "../metric.ts";

/** The steps between two evaluations. */
export interface LossStretch extends Stretch {
  /** Mean of the steps. */
  loss: number;
}

/** The totals as plain values. */
export interface SavedTally {
  steps: number;
  images: number;
  seconds: number;
  lossSum: number;
  since: { steps: number; images: number; selected: number; active: number; correct: number };
  counters: Counters;
}

/** Sums over all steps, and over those since the last evaluation. */
export class Tally {
  readonly counters: Counters;
  steps = 0;
  /** Seen by the network. */
  images = 0;
  /** In all steps. */
  seconds = 0;
  #lossSum = 0;
  #since = { steps: 0, images: 0, selected: 0, active: 0, correct: 0 };

  /** @param counters of the loss, which counts on */
  constructor(counters: Counters) {
    this.counters = counters;
  }

  /** Adds one step. */
  add(loss: number, images: number, seconds: number): void {
    this.steps++;
    this.images += images;
    this.seconds += seconds;
    this.#lossSum += loss;
  }

  /** All totals, those of the loss too. */
  save(): SavedTally {
    const { steps, images, seconds, counters } = this;
    return { steps, images, seconds, lossSum: this.#lossSum, since: this.#since, counters: { ...counters } };
  }

  /** Goes on from the totals of another run. */
  restore({ steps, images, seconds, lossSum, since, counters }: SavedTally): void {
    Object.assign(this, { steps, images, seconds });
    Object.assign(this.counters, counters);
    this.#lossSum = lossSum;
    this.#since = since;
  }

  /** The steps since the last call, of which there is at least one. */
  takeStretch(): LossStretch {
    const { steps, images } = this;
    const { selected, active, correct = 0 } = this.counters;
    const since = this.#since;
    const loss = this.#lossSum / (steps - since.steps);
    this.#since = { steps, images, selected, active, correct };
    this.#lossSum = 0;
    return {
      steps: steps - since.steps,
      images: images - since.images,
      selected: selected - since.selected,
      active: active - since.active,
      correct: correct - since.correct,
      loss,
    };
  }
}
