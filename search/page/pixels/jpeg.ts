/**
 * Makes photographs smaller as libjpeg does while it decodes them: the average of blocks of brightness, and of the colours
 * as the file has them, often at half the resolution. A browser gives only the whole image, its colours interpolated;
 * these are recovered first.
 */
import type { Raster } from "./raster.ts";

/** In how many pixels across and down a file has one colour. */
export type Sampling = [across: number, down: number];

/** A channel of an image. */
interface Plane {
  values: Float32Array;
  width: number;
  height: number;
}

/** Averages of blocks; the last ones go on with the last pixels. */
function averages({ values, width, height }: Plane, across: number, down: number): Plane {
  if (across === 1 && down === 1) return { values, width, height };
  const [columns, rows] = [Math.ceil(width / across), Math.ceil(height / down)];
  const out = new Float32Array(columns * rows);
  for (let row = 0, to = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, to++) {
      let sum = 0;
      for (let y = row * down; y < (row + 1) * down; y++)
        for (let x = column * across; x < (column + 1) * across; x++)
          sum += values[Math.min(y, height - 1) * width + Math.min(x, width - 1)];
      out[to] = sum / (across * down);
    }
  return { values: out, width: columns, height: rows };
}

/**
 * Undoes what libjpeg's interpolation does to averages of two: each became 3/4 of itself and 1/8 of both neighbours, at
 * the ends 7/8 and 1/8. A tridiagonal system (Thomas 1949).
 */
function sharpen(values: Float32Array, start: number, step: number, length: number): void {
  if (length === 1) return;
  const next = new Float32Array(length);
  const own = (i: number) => (i === 0 || i === length - 1 ? 7 / 8 : 3 / 4);
  for (let i = 0, at = start; i < length; i++, at += step) {
    const pivot = i === 0 ? own(0) : own(i) - next[i - 1] / 8;
    next[i] = 1 / 8 / pivot;
    values[at] = (values[at] - (i === 0 ? 0 : values[at - step] / 8)) / pivot;
  }
  for (let i = length - 2, at = start + (length - 2) * step; i >= 0; i--, at -= step)
    values[at] -= next[i] * values[at + step];
}

/** A colour as the file has it, out of the interpolated one. */
function recovered(plane: Plane, [across, down]: Sampling): Plane {
  const { values, width, height } = averages(plane, across, down);
  if (across === 2) for (let row = 0; row < height; row++) sharpen(values, row * width, 1, width);
  if (down === 2) for (let column = 0; column < width; column++) sharpen(values, column, width, height);
  return { values: values.map((value) => Math.min(Math.max(Math.round(value), 0), 255)), width, height };
}

/** One of the channels of JPEG, of an image of three channels. */
function planeOf({ pixels, width, height }: Raster, [r, g, b]: number[], shift: number): Plane {
  const values = new Float32Array(width * height);
  for (let i = 0, at = 0; i < values.length; i++, at += 3)
    values[i] = r * pixels[at] + g * pixels[at + 1] + b * pixels[at + 2] + shift;
  return { values, width, height };
}

/** The weights of ITU-R BT.601, which JFIF takes. */
const [Y, CB, CR] = [
  [0.299, 0.587, 0.114],
  [-0.168735892, -0.331264108, 0.5],
  [0.5, -0.418687589, -0.081312411],
];

/** A JPEG file's image at 1/2, 1/4 or 1/8. */
export function jpegShrunk(image: Raster, factor: number, sampling: Sampling): Raster {
  const [across, down] = sampling;
  const bright = averages(planeOf(image, Y, 0), factor, factor);
  const [blue, red] = [CB, CR].map((weights) =>
    averages(recovered(planeOf(image, weights, 128), sampling), factor / across, factor / down),
  );
  // The last block is left out where it is not whole.
  const [width, height] = [Math.floor(image.width / factor), Math.floor(image.height / factor)];
  const pixels = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const light = Math.round(bright.values[y * bright.width + x]);
      const at = y * blue.width + x;
      const [u, v] = [Math.round(blue.values[at]) - 128, Math.round(red.values[at]) - 128];
      pixels[3 * i] = light + 1.402 * v;
      pixels[3 * i + 1] = light - 0.344136286 * u - 0.714136286 * v;
      pixels[3 * i + 2] = light + 1.772 * u;
    }
  return { pixels: new Uint8Array(pixels.buffer), width, height, channels: 3 };
}

/** Markers of a frame: all from C0 to CF but the tables among them. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** How a JPEG file samples its colours; not at all where it has none. @param bytes of the file */
export function samplingOf(bytes: Uint8Array): Sampling {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 18 < bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    if (!isFrame(bytes[at + 1])) continue;
    if (bytes[at + 9] < 3) return [1, 1];
    const [own, colour] = [bytes[at + 11], bytes[at + 14]];
    const [across, down] = [(own >> 4) / (colour >> 4), (own & 15) / (colour & 15)];
    // Others, as 4:1:1, are recovered by none here: their colours are taken as decoded.
    return [across, down].every((ratio) => ratio === 1 || ratio === 2) ? [across, down] : [1, 1];
  }
  return [1, 1];
}
