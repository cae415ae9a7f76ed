/** Makes images larger as vips_affine does with bicubic interpolation, to the last bit. */
import { clipped, ONE, placeOf, type Raster, rounded, STEPS } from "./raster.ts";

/** `[STEPS + 1, 4]`: the weights of Catmull-Rom, as vips_interpolate_bicubic holds them. */
const CUBIC = Int32Array.from({ length: (STEPS + 1) * 4 }, (_, i) => {
  const x = Math.floor(i / 4) / STEPS;
  const [rest, half] = [1 - x, -0.5 * x];
  const both = rest * half;
  const [first, last] = [rest * both, x * both];
  const slope = last - first;
  return Math.trunc([first, rest - first + slope, x - last - slope, last][i % 4] * ONE);
});

/** The pixels around each position along an axis, and their weights. */
function taps(count: number, length: number, at: (i: number) => number) {
  const pixels = new Int32Array(count * 4);
  const weights = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const x = at(i);
    weights[i] = 4 * placeOf(x);
    for (let tap = 0; tap < 4; tap++)
      pixels[4 * i + tap] = Math.min(Math.max(Math.trunc(x) + tap - BORDER - 1, 0), length - 1);
  }
  return { pixels, weights };
}

/** Pixels that vips_affine sets before the image, and where in them it takes the first position. */
const BORDER = 2;
const START = BORDER - 0.5;

/** Makes axes longer, and keeps one whose scale is 1 (vips_affine). */
export function enlarged(from: Raster, across: number, down: number): Raster {
  const { width, height, channels, pixels } = from;
  const [columns, rows] = [Math.round(width * across), Math.round(height * down)];
  const inverse = 1 / (across * down);
  // As libvips does: a column's position is the last one's and a step, a row's is computed by itself.
  let x = START - inverse * down;
  const horizontal = taps(columns, width, () => {
    x += inverse * down;
    return x;
  });
  const vertical = taps(rows, height, (y) => inverse * across * y + START);
  const out = new Uint8Array(columns * rows * channels);
  let to = 0;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let i = 0; i < 4; i++) {
          const line = vertical.pixels[4 * row + i] * width;
          let inner = 0;
          for (let j = 0; j < 4; j++)
            inner +=
              CUBIC[horizontal.weights[column] + j] *
              pixels[(line + horizontal.pixels[4 * column + j]) * channels + channel];
          sum += CUBIC[vertical.weights[row] + i] * rounded(inner);
        }
        out[to++] = clipped(rounded(sum));
      }
  return { pixels: out, width: columns, height: rows, channels };
}
