/** Makes images smaller as vips_reduceh and vips_reducev do with lanczos3, to the last bit. */
import { along, clipped, lengthOf, ONE, placeOf, type Raster, rounded, STEPS } from "./raster.ts";

/** A shrink is by averages of blocks until only this factor is left. */
const GAP = 2;

/** Averages of blocks of `factor` pixels; the last block goes on with the last pixel (vips_shrinkh, vips_shrinkv). */
function shrunk(from: Raster, horizontal: boolean, factor: number): Raster {
  const length = lengthOf(from, horizontal);
  const after = Math.ceil(length / factor);
  const multiplier = Math.floor(2 ** 24 / factor);
  const amend = factor >> 1;
  return along(from, horizontal, after, (input, at, step, output, to, next) => {
    for (let i = 0; i < after; i++) {
      let sum = amend;
      for (let j = i * factor; j < (i + 1) * factor; j++) sum += input[at + Math.min(j, length - 1) * step];
      output[to + i * next] = Math.floor((sum * multiplier) / 2 ** 24);
    }
  });
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) > 3) return 0;
  const [a, b] = [Math.PI * x, (Math.PI * x) / 3];
  return ((Math.sin(a) / a) * Math.sin(b)) / b;
}

/** `[STEPS + 1, points]`: the weights of the pixels around a position, by its place between two of them. */
function lanczosWeights(points: number, shrink: number): Int16Array {
  const weights = new Int16Array((STEPS + 1) * points);
  for (let place = 0; place <= STEPS; place++) {
    const half = place / STEPS + points / 2 - 1;
    const values = Array.from({ length: points }, (_, i) => lanczos((i - half) / shrink));
    const sum = values.reduce((total, value) => total + value, 0);
    for (const [i, value] of values.entries()) weights[place * points + i] = Math.trunc((value / sum) * ONE);
  }
  return weights;
}

const roundHalfEven = (value: number): number => {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
};

/** Makes an axis shorter (vips_reduceh, vips_reducev). */
export function reduced(image: Raster, horizontal: boolean, shrink: number): Raster {
  const before = lengthOf(image, horizontal);
  const after = Math.round(before / shrink);
  const blocks = Math.max(1, Math.floor(before / after / GAP));
  const from = blocks > 1 ? shrunk(image, horizontal, blocks) : image;
  const rest = shrink / blocks;
  if (rest === 1) return from;
  const length = lengthOf(from, horizontal);
  const points = 2 * roundHalfEven(3 * rest) + 1;
  const weights = lanczosWeights(points, rest);
  const offset = (1 + (after * shrink - before) / blocks) / 2 - 1;
  const pad = Math.ceil(points / 2) - 1;
  const positions = Float64Array.from({ length: after });
  for (let i = 0, x = 0.5 * rest - 0.5 - offset; i < after; i++, x += rest) positions[i] = x;
  return along(from, horizontal, after, (input, at, step, output, to, next) => {
    for (let i = 0; i < after; i++) {
      const first = Math.trunc(positions[i]) - pad;
      const weight = placeOf(positions[i]) * points;
      let sum = 0;
      for (let j = 0; j < points; j++)
        sum += weights[weight + j] * input[at + Math.min(Math.max(first + j, 0), length - 1) * step];
      output[to + i * next] = clipped(rounded(sum));
    }
  });
}
