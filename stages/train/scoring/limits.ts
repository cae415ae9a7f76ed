/** The place of a distance among sorted limits: one search per negative replaces one comparison per pair. */

/**
 * Sorts the first `count` limits, and fills the array up so that {@link notAbove} can search it.
 * @param limits at least twice as long as `count`
 * @returns the argument `half` of {@link notAbove}
 */
export function sortLimits(limits: Float64Array, count: number): number {
  // A power of two, so that half as many again reach beyond `count`.
  let half = 1;
  while (half * 2 <= count) half *= 2;
  limits.subarray(0, count).sort();
  limits.fill(Number.POSITIVE_INFINITY, count, 2 * half);
  return half;
}

/**
 * How many of the ascending limits are at most `distance`. Without a branch: each step of the search is as likely to
 * go up as down, and each wrong guess of the processor costs more than the step.
 * @param limits as {@link sortLimits} leaves them
 */
export function notAbove(limits: Float64Array, half: number, distance: number): number {
  let place = 0;
  for (let step = half; step > 0; step >>= 1) place += step & -Number(limits[place + step - 1] <= distance);
  return place;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The next float32 above a distance: to be below it is to be at most the distance. @param distance not negative */
export function justAbove(distance: number): number {
  float[0] = distance;
  bits[0]++;
  return float[0];
}
