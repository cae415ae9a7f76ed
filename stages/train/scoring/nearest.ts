/** The smallest and the largest of many distances, without a sort. */

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

/** The places of the `count` largest values, ascending by place; of equal values the last. See {@link nearestPlaces}. */
export function farthestPlaces(values: Float32Array, count: number): Int32Array {
  const others = nearestPlaces(values, values.length - count);
  const places = new Int32Array(count);
  for (let place = 0, taken = 0, other = 0; taken < count; place++)
    if (others[other] === place) other++;
    else places[taken++] = place;
  return places;
}
