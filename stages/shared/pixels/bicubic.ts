/** Bicubic resizing of one image (Keys 1981), for networks that were trained on images resized so. */
import type { Scaling, Shape, Target } from "./shape.ts";

/** Sources of each target position and their weights, `[to, 4]`. */
export interface CubicTaps {
  /** Pixels of the image along the axis. */
  at: Int32Array;
  weight: Float32Array;
}

/** Keys's parameter: PIL's and torchvision's choice for images. */
const SHARPNESS = -0.5;

/** The weight of a source that is this far away. */
function keys(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (SHARPNESS + 2) * x ** 3 - (SHARPNESS + 3) * x ** 2 + 1;
  return x < 2 ? SHARPNESS * (x ** 3 - 5 * x ** 2 + 8 * x - 4) : 0;
}

/**
 * The four sources of each target position; half-pixel centres, edges repeated.
 * @param from pixels of the image along the axis
 * @param start of the window, in pixels of the image
 * @param length of the window
 */
export function cubicTaps(from: number, to: number, start = 0, length = from, mirrored = false): CubicTaps {
  const at = new Int32Array(4 * to);
  const weight = new Float32Array(4 * to);
  for (let i = 0; i < to; i++) {
    const centre = (((mirrored ? to - 1 - i : i) + 0.5) * length) / to - 0.5 + start;
    const first = Math.floor(centre) - 1;
    for (let k = 0; k < 4; k++) {
      at[4 * i + k] = Math.min(Math.max(first + k, 0), from - 1);
      weight[4 * i + k] = keys(centre - first - k);
    }
  }
  return { at, weight };
}

/**
 * Resizes one image; values beyond those of a byte are cut, as image libraries do.
 * @param pixels `[height, width, channels]` from `from` on; a grey image fills all channels of the target
 * @param out takes the image from `to` on, as the target says
 */
export function resizeBicubic(
  pixels: Uint8Array | Float32Array,
  from: number,
  shape: Shape,
  columns: CubicTaps,
  rows: CubicTaps,
  target: Target,
  { mean, std }: Scaling,
  out: Float32Array,
  to: number,
): void {
  const narrow = new Float32Array(shape.height * target.width);
  for (let channel = 0; channel < target.channels; channel++) {
    const source = from + (shape.channels === 3 ? channel : 0);
    for (let row = 0, at = 0; row < shape.height; row++)
      for (let column = 0; column < target.width; column++, at++) {
        let sum = 0;
        for (let k = 4 * column; k < 4 * column + 4; k++)
          sum += columns.weight[k] * pixels[source + (row * shape.width + columns.at[k]) * shape.channels];
        narrow[at] = sum;
      }
    const [start, step] = target.planes
      ? [to + channel * target.height * target.width, 1]
      : [to + channel, target.channels];
    for (let row = 0, at = start; row < target.height; row++)
      for (let column = 0; column < target.width; column++, at += step) {
        let sum = 0;
        for (let k = 4 * row; k < 4 * row + 4; k++)
          sum += rows.weight[k] * narrow[rows.at[k] * target.width + column];
        const byte = Math.min(255, Math.max(0, sum));
        out[at] = (byte / 255 - mean[channel]) / std[channel];
      }
  }
}
