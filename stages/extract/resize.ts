/** Bilinear resizing of whole batches, in tight loops over typed arrays. */

/** How an image enters the network. */
export interface Scaling {
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
}

/** Makes `target` of size `size` from `source` bytes. See {@link resizer}. */
export type Resize = (pixels: Uint8Array, images: number, out: Float32Array) => void;

/** For each target position the two sources and the weight of the second; half-pixel centres, edges repeated. */
function taps(from: number, to: number) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    first[i] = Math.floor(at);
    second[i] = Math.min(first[i] + 1, from - 1);
    weight[i] = at - first[i];
  }
  return { first, second, weight };
}

/**
 * A function that resizes a batch of HWC bytes `[images, height, width, channels]` to floats in NCHW order
 * `[images, 3, size, size]`, scaled as (byte / 255 - mean) / std. Grey images fill all three channels.
 * Columns come first: the rows that are interpolated then are few.
 * @param mirrored left and right exchanged
 */
export function resizer(
  height: number,
  width: number,
  channels: number,
  size: number,
  scaling: Scaling,
  mirrored = false,
): Resize {
  const x = taps(width, size);
  const y = taps(height, size);
  if (mirrored) for (const taps of [x.first, x.second, x.weight]) taps.reverse();
  const narrow = new Float32Array(height * size);
  return (pixels, images, out) => {
    const plane = size * size;
    for (let image = 0; image < images; image++)
      for (let channel = 0; channel < 3; channel++) {
        const scale = 1 / (255 * scaling.std[channel]);
        const shift = -scaling.mean[channel] / scaling.std[channel];
        const base = image * height * width * channels + (channels === 3 ? channel : 0);
        for (let row = 0; row < height; row++) {
          const line = base + row * width * channels;
          const to = row * size;
          for (let column = 0; column < size; column++) {
            const a = pixels[line + x.first[column] * channels];
            const b = pixels[line + x.second[column] * channels];
            narrow[to + column] = (a + (b - a) * x.weight[column]) * scale + shift;
          }
        }
        let at = (image * 3 + channel) * plane;
        for (let row = 0; row < size; row++) {
          const above = y.first[row] * size;
          const below = y.second[row] * size;
          const weight = y.weight[row];
          for (let column = 0; column < size; column++) {
            const a = narrow[above + column];
            out[at++] = a + (narrow[below + column] - a) * weight;
          }
        }
      }
  };
}
