/** What a file of selectors/ must offer: a part of the stage `train`. */
import type { PartDefinition } from "../../runner/stage.ts";
import type { Random } from "../shared/compute/random.ts";
import type { Batch, Means, PairSet, Pairs, Triplets } from "./scoring/batch.ts";

/** Which triplets of a batch train. */
export interface TripletSelector extends PartDefinition {
  selects: "triplets";
  /**
   * @param margin of the loss, in squared distances; Infinity where the loss has none
   * @returns the triplets; or, none of them written down, "all": every one of {@link Batch.positives} with every
   *   negative, or the mean over each pair's negatives
   */
  select(
    batch: Batch,
    margin: number,
    random: Random,
    params: Record<string, unknown>,
  ): Triplets | "all" | Means;
}

/** Which pairs of a batch train: positive ones and negative ones. */
export interface PairSelector extends PartDefinition {
  selects: "pairs";
  select(batch: Batch, random: Random, params: Record<string, unknown>): PairSet;
}

/**
 * One triplet for each positive pair whose anchor finds a negative.
 * @param choose is called once for each anchor that has positives, with its squared distances to its negatives;
 *   the function it returns is called for each positive with its squared distance, and gives the chosen
 *   negative's place among the negatives, or -1 for none
 */
export function forEachPositivePair(
  batch: Batch,
  choose: (near: Float32Array, anchor: number) => (positive: number) => number,
): Triplets {
  const { size, squared, negatives } = batch;
  const { first, second, count } = batch.positives;
  const triplets = emptyTriplets(count);
  const scratch = new Float32Array(size);
  for (let pair = 0; pair < count; ) {
    const anchor = first[pair];
    const row = anchor * size;
    const pick = choose(distancesTo(batch, anchor, negatives[anchor], scratch), anchor);
    for (; pair < count && first[pair] === anchor; pair++) {
      const place = pick(squared[row + second[pair]]);
      if (place >= 0) push(triplets, anchor, second[pair], negatives[anchor][place]);
    }
  }
  return triplets;
}

/** Room for so many triplets. */
export function emptyTriplets(most: number): Triplets {
  return {
    anchors: new Int32Array(most),
    positives: new Int32Array(most),
    negatives: new Int32Array(most),
    count: 0,
  };
}

/** Writes one triplet down. */
export function push(triplets: Triplets, anchor: number, positive: number, negative: number): void {
  triplets.anchors[triplets.count] = anchor;
  triplets.positives[triplets.count] = positive;
  triplets.negatives[triplets.count++] = negative;
}

/** The squared distances of an anchor to other rows, side by side, in the front of `scratch`. */
export function distancesTo(
  { size, squared }: Batch,
  anchor: number,
  others: Int32Array,
  scratch: Float32Array,
): Float32Array {
  for (let k = 0; k < others.length; k++) scratch[k] = squared[anchor * size + others[k]];
  return scratch.subarray(0, others.length);
}

/** The place of the smallest value above `low`, the first of equal ones; -1 for none. */
export function smallest(values: Float32Array, low = Number.NEGATIVE_INFINITY): number {
  let place = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < values.length; k++)
    if (values[k] > low && values[k] < least) {
      least = values[k];
      place = k;
    }
  return place;
}

/** All pairs i < j of two classes, ascending by i, then j. */
export function negativePairs({ size, negatives, positives }: Batch): Pairs {
  const most = (size * (size - 1)) / 2 - positives.count;
  const pairs = { first: new Int32Array(most), second: new Int32Array(most), count: 0 };
  for (let i = 0; i < size; i++)
    for (const j of negatives[i])
      if (j > i) {
        pairs.first[pairs.count] = i;
        pairs.second[pairs.count++] = j;
      }
  return pairs;
}

/** The pairs at these places. */
export function takePairs({ first, second }: Pairs, places: Int32Array): Pairs {
  return {
    first: places.map((place) => first[place]),
    second: places.map((place) => second[place]),
    count: places.length,
  };
}
