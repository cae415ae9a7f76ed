/**
 * All positive pairs, with as many negative pairs: the nearest.
 *
 * @equation
 * {(a, b): same class}, and as many (a, b) of different classes with the smallest |a-b|
 * @when Pairs train a loss (`contrastive`, `identification-verification`).
 * @source siamese-triplet's HardNegativePairSelector (https://github.com/adambielski/siamese-triplet)
 */
import { negativePairs, pairSelector, takePairs } from "../selector.ts";

export default pairSelector({
  select(batch) {
    const { size, squared, positives } = batch;
    const all = negativePairs(batch);
    const distances = new Float32Array(all.count);
    for (let i = 0; i < all.count; i++) distances[i] = squared[all.first[i] * size + all.second[i]];
    const nearest = nearestPlaces(distances, Math.min(positives.count, all.count));
    return { positive: positives, negative: takePairs(all, nearest) };
  },
});

/**
 * The places of the `count` smallest values, ascending by place; of equal values the first. A number's bits, read
 * as a whole number, are in the order of the numbers where none is negative: two counts of 16 bits find the limit
 * without a sort.
 * @param values none negative
 */
export function nearestPlaces(values: Float32Array, count: number): Int32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const places = new Int32Array(count);
  if (count === 0) return places;
  const counts = new Int32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) counts[bits[i] >>> 16]++;
  let left = count;
  let high = 0;
  while (left > counts[high]) left -= counts[high++];
  counts.fill(0);
  for (let i = 0; i < bits.length; i++) if (bits[i] >>> 16 === high) counts[bits[i] & 0xffff]++;
  let low = 0;
  while (left > counts[low]) left -= counts[low++];
  const limit = ((high << 16) | low) >>> 0;
  for (let i = 0, taken = 0; taken < count; i++)
    if (bits[i] < limit || (bits[i] === limit && left-- > 0)) places[taken++] = i;
  return places;
}
