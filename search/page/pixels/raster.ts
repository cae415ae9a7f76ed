/** Images as arrays of bytes, and weights of whole numbers, as libvips computes with them. */

/** Bytes `[height, width, channels]`. */
export interface Raster {
  pixels: Uint8Array;
  width: number;
  height: number;
  channels: number;
}

/** Weights are whole numbers; this one is 1. */
export const ONE = 4096;

/** Positions between two pixels that have weights of their own. */
export const STEPS = 64;

/** A sum of pixels times weights, as a byte; it may be beyond one. */
export const rounded = (sum: number): number => (sum + ONE / 2) >> 12;
export const clipped = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** The nearest of the {@link STEPS} places of a position, which is not negative. */
export const placeOf = (position: number): number =>
  ((Math.trunc(position * STEPS * 2) & (STEPS * 2 - 1)) + 1) >> 1;

/** A raster is worked on along one axis: neighbours are `step` bytes apart. */
interface Axis {
  length: number;
  step: number;
  /** The offsets of where the lines along the axis begin. */
  starts: Int32Array;
}

function axisOf({ width, height, channels }: Omit<Raster, "pixels">, horizontal: boolean): Axis {
  const row = width * channels;
  return horizontal
    ? { length: width, step: channels, starts: startsOf(height, row, channels) }
    : { length: height, step: row, starts: Int32Array.from({ length: row }, (_, at) => at) };
}

function startsOf(rows: number, row: number, channels: number): Int32Array {
  return Int32Array.from(
    { length: rows * channels },
    (_, i) => Math.floor(i / channels) * row + (i % channels),
  );
}

/** The same image with another length along an axis, computed line by line. */
export function along(
  from: Raster,
  horizontal: boolean,
  length: number,
  line: (input: Uint8Array, at: number, step: number, output: Uint8Array, to: number, next: number) => void,
): Raster {
  const { channels } = from;
  const size = horizontal ? { width: length, height: from.height } : { width: from.width, height: length };
  const to = { ...size, channels, pixels: new Uint8Array(size.width * size.height * channels) };
  const [input, output] = [axisOf(from, horizontal), axisOf(to, horizontal)];
  for (const [i, start] of input.starts.entries())
    line(from.pixels, start, input.step, to.pixels, output.starts[i], output.step);
  return to;
}

export const lengthOf = ({ width, height }: Raster, horizontal: boolean): number =>
  horizontal ? width : height;
