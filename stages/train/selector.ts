/** The interface of the files of selectors/: parts of the stage `train`. */
import type { ParamSchemas, ParamsOf, PartDefinition, WithSchemas } from "../../runner/stage.ts";
import type { Random } from "../shared/compute/random.ts";
import type { Batch, Means, PairSet, Pairs, Triplets } from "./scoring/batch.ts";
import { emptyTriplets, push } from "./scoring/tuples.ts";

/** Chooses the triplets of a batch that train. @typeParam P the params that it declares */
export interface TripletSelector<P = Record<string, unknown>> extends PartDefinition {
  selects: "triplets";
  /**
   * @param margin of the loss, in squared distances; Infinity where the loss has none
   * @returns the listed triplets; or "all", each of {@link Batch.positives} with every negative; or the mean over each
   *   pair's negatives
   */
  select(batch: Batch, margin: number, random: Random, params: P): Triplets | "all" | Means;
}

/** Chooses the pairs of a batch that train: positive and negative ones. @typeParam P the params that it declares */
export interface PairSelector<P = Record<string, unknown>> extends PartDefinition {
  selects: "pairs";
  select(batch: Batch, random: Random, params: P): PairSet;
}

/** Declares a selector of triplets; the params of `select` have the types that its JSON Schemas accept. */
export function tripletSelector<const S extends ParamSchemas>(
  selector: Omit<WithSchemas<TripletSelector<ParamsOf<S>>, S>, "selects">,
): TripletSelector<ParamsOf<S>> {
  return { selects: "triplets", ...selector };
}

/** Declares a selector of pairs; the params of `select` have the types that its JSON Schemas accept. */
export function pairSelector<const S extends ParamSchemas>(
  selector: Omit<WithSchemas<PairSelector<ParamsOf<S>>, S>, "selects">,
): PairSelector<ParamsOf<S>> {
  return { selects: "pairs", ...selector };
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

/** The place of the largest value below `high`, the first of equal ones; -1 for none. */
export function largest(values: Float32Array, high = Number.POSITIVE_INFINITY): number {
  let place = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < values.length; k++)
    if (values[k] < high && values[k] > most) {
      most = values[k];
      place = k;
    }
  return place;
}

/** The choice among an anchor's positives or negatives: the one that is easiest or hardest; semihard, within the other's. */
export type Strategy = "easy" | "hard" | "semihard";

/**
 * For each anchor one positive and one negative; an anchor without both is left out.
 * @param positive easy: the nearest; hard: the farthest; semihard: the farthest that is nearer than the negative
 * @param negative easy: the farthest; hard: the nearest; semihard: the nearest that is farther than the positive. Not
 *   semihard with a semihard positive: neither could be chosen first
 */
export function onePerAnchor(batch: Batch, positive: Strategy, negative: Strategy): Triplets {
  const { anchors, size, members, negatives } = batch;
  const triplets = emptyTriplets(anchors);
  const scratch = [new Float32Array(size), new Float32Array(size)];
  for (let anchor = 0; anchor < anchors; anchor++) {
    const own = members[anchor].filter((other) => other !== anchor);
    const near = distancesTo(batch, anchor, own, scratch[0]);
    const far = distancesTo(batch, anchor, negatives[anchor], scratch[1]);
    if (near.length === 0 || far.length === 0) continue;
    let p = positive === "easy" ? smallest(near) : largest(near);
    const n =
      negative === "easy" ? largest(far) : negative === "hard" ? smallest(far) : smallest(far, near[p]);
    if (positive === "semihard") p = largest(near, far[n]);
    if (p >= 0 && n >= 0) push(triplets, anchor, own[p], negatives[anchor][n]);
  }
  return triplets;
}

/** The list of {@link tripletsThat}: kept, since new memory of this size takes longer than the choice. */
let kept = emptyTriplets(0);

/**
 * Every triplet that fits, in the order of the positive pairs.
 * @param bothEnds whether both images of a positive pair are anchors, or only the first
 * @param choose writes the negatives of a pair that fit into `chosen`, from `at` on, and returns where they end
 * @returns a list that is valid until the next call
 */
export function tripletsThat(
  { negatives, positives, size, memory }: Batch,
  bothEnds: boolean,
  choose: (anchor: number, positive: number, negatives: Int32Array, chosen: Int32Array, at: number) => number,
): Triplets {
  let count = 0;
  const add = (anchor: number, positive: number) => {
    if (count + size > kept.negatives.length) {
      const larger = emptyTriplets(2 * kept.negatives.length + size);
      for (const name of ["anchors", "positives", "negatives"] as const) larger[name].set(kept[name]);
      kept = larger;
    }
    const end = choose(anchor, positive, negatives[anchor], kept.negatives, count);
    kept.anchors.fill(anchor, count, end);
    kept.positives.fill(positive, count, end);
    count = end;
  };
  for (let pair = 0; pair < positives.count; pair++) {
    const [first, second] = [positives.first[pair], positives.second[pair]];
    add(first, second);
    // With a memory, each pair of the batch is there in both orders.
    if (bothEnds && !memory) add(second, first);
  }
  return { ...kept, count };
}

/** All pairs i < j of two classes, ascending by i, then j; with a memory each anchor i with each j. */
export function negativePairs({ anchors, memory, negatives }: Batch): Pairs {
  const ordered = negatives.reduce((sum, others) => sum + others.length, 0);
  const most = memory ? ordered : ordered / 2;
  const pairs = { first: new Int32Array(most), second: new Int32Array(most), count: 0 };
  for (let i = 0; i < anchors; i++)
    for (const j of negatives[i])
      if (j > i || memory) {
        pairs.first[pairs.count] = i;
        pairs.second[pairs.count++] = j;
      }
  return pairs;
}

/** The squared distance of each pair. */
export function distancesOf({ size, squared }: Batch, { first, second, count }: Pairs): Float32Array {
  const distances = new Float32Array(count);
  for (let pair = 0; pair < count; pair++) distances[pair] = squared[first[pair] * size + second[pair]];
  return distances;
}

/** The pairs at these places. */
export function takePairs({ first, second }: Pairs, places: Int32Array): Pairs {
  return {
    first: places.map((place) => first[place]),
    second: places.map((place) => second[place]),
    count: places.length,
  };
}
