/** What a file of selectors/ must offer: a part of the stage `train`. */
import type { PartDefinition } from "../../runner/stage.ts";
import type { Random } from "../shared/random.ts";
import type { Batch, PairSet, Triplets } from "./batch.ts";

/** Which triplets of a batch train. */
export interface TripletSelector extends PartDefinition {
  selects: "triplets";
  /**
   * @param margin of the loss, in squared distances; Infinity where the loss has none
   * @returns "all": every triplet of {@link Batch.positives} with every negative, none of them written down
   */
  select(batch: Batch, margin: number, random: Random, params: Record<string, unknown>): Triplets | "all";
}

/** Which pairs of a batch train: positive ones and negative ones. */
export interface PairSelector extends PartDefinition {
  selects: "pairs";
  select(batch: Batch, random: Random, params: Record<string, unknown>): PairSet;
}

/**
 * One triplet for each positive pair whose anchor finds a negative.
 * @param pick the negative's index, or -1 for none
 */
export function forEachPositivePair(
  batch: Batch,
  pick: (anchor: number, positive: number) => number,
): Triplets {
  const { first, second, count } = batch.positives;
  const triplets = {
    anchors: new Int32Array(count),
    positives: new Int32Array(count),
    negatives: new Int32Array(count),
    count: 0,
  };
  for (let pair = 0; pair < count; pair++) {
    const negative = pick(first[pair], second[pair]);
    if (negative < 0) continue;
    triplets.anchors[triplets.count] = first[pair];
    triplets.positives[triplets.count] = second[pair];
    triplets.negatives[triplets.count++] = negative;
  }
  return triplets;
}

/**
 * A random negative at a distance in (low, high) from the anchor, in squared distances: counted first, then
 * drawn, so that nothing is stored.
 */
export function randomNegative(
  batch: Batch,
  anchor: number,
  low: number,
  high: number,
  random: Random,
): number {
  const { size, labels, squared } = batch;
  const row = anchor * size;
  const label = labels[anchor];
  let fitting = 0;
  for (let j = 0; j < size; j++) {
    const distance = squared[row + j];
    if (distance > low && distance < high && labels[j] !== label) fitting++;
  }
  if (fitting === 0) return -1;
  let left = random.int(fitting);
  for (let j = 0; j < size; j++) {
    const distance = squared[row + j];
    if (distance > low && distance < high && labels[j] !== label && left-- === 0) return j;
  }
  return -1;
}

/** The nearest item of another class; -1 when the batch has one class. */
export function nearestNegative(batch: Batch, anchor: number): number {
  const { size, labels, squared } = batch;
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let j = 0; j < size; j++)
    if (labels[j] !== labels[anchor] && squared[anchor * size + j] < least) {
      least = squared[anchor * size + j];
      best = j;
    }
  return best;
}
