/** The extent of an axis of shares, as mAP. */

/** The least part of an axis that is shown: on less, differences within the noise look large. */
const LEAST = 0.2;
/** The ends are multiples of this. */
const STEP = 0.05;

/** Where an axis of values from 0 to 1 begins and ends: around all values, and never less than {@link LEAST} apart. */
export function shareExtent(values: number[]): [low: number, high: number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const missing = Math.max(0, LEAST - (most - least)) / 2;
  const steps = Math.round(1 / STEP);
  const low = Math.floor((least - missing) * steps + 1e-9);
  const high = Math.ceil((most + missing) * steps - 1e-9);
  // An end beyond 0 or 1 moves the other one.
  const [over, under] = [Math.max(0, high - steps), Math.max(0, -low)];
  return [Math.max(0, low - over) / steps, Math.min(steps, high + under) / steps];
}
