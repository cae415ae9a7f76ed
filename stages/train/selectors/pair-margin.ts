/**
 * Positive pairs that are too far apart, and negative pairs that are too near.
 *
 * @equation
 * {(a, b): same class, |a-b| > near},  {(a, b): different classes, |a-b| < far}
 * @when Pairs train a loss that has no margin of its own, or one whose mean should be over the pairs with a loss only.
 * @source pytorch-metric-learning's PairMarginMiner
 */
import { distancesOf, negativePairs, pairSelector, takePairs } from "../selector.ts";

export default pairSelector({
  params: {
    near: {
      type: "number",
      minimum: 0,
      default: 0.2,
      description: "positive pairs up to this distance are left out",
    },
    far: {
      type: "number",
      minimum: 0,
      default: 0.8,
      description: "negative pairs at this distance or farther are left out",
    },
  },
  select(batch, _random, { near, far }) {
    const pairs = negativePairs(batch);
    const positive = placesOf(distancesOf(batch, batch.positives), (squared) => squared > near * near);
    const negative = placesOf(distancesOf(batch, pairs), (squared) => squared < far * far);
    return { positive: takePairs(batch.positives, positive), negative: takePairs(pairs, negative) };
  },
});

function placesOf(values: Float32Array, fits: (value: number) => boolean): Int32Array {
  const places = new Int32Array(values.length);
  let count = 0;
  for (let place = 0; place < values.length; place++) if (fits(values[place])) places[count++] = place;
  return places.subarray(0, count);
}
