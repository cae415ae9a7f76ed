/** Makes images smaller as libwebp does while it decodes: each pixel is the average of the area that it covers. */
import type { Raster } from "./raster.ts";

/** The pixels along an axis that go into one, and their shares, which sum to 1. */
function sharesOf(from: number, to: number): { first: number; shares: number[] }[] {
  const span = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [start, end] = [i * span, (i + 1) * span];
    const first = Math.floor(start);
    const count = Math.min(Math.ceil(end - 1e-9), from) - first;
    const shares = Array.from(
      { length: count },
      (_, j) => (Math.min(end, first + j + 1) - Math.max(start, first + j)) / span,
    );
    return { first, shares };
  });
}

/** The image with sides that are not longer than its own. */
export function averaged({ pixels, width, height, channels }: Raster, columns: number, rows: number): Raster {
  const row = columns * channels;
  const narrow = new Float64Array(height * row);
  for (const [x, { first, shares }] of sharesOf(width, columns).entries())
    for (let y = 0; y < height; y++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (const [i, share] of shares.entries())
          sum += share * pixels[(y * width + first + i) * channels + channel];
        narrow[y * row + x * channels + channel] = sum;
      }
  const out = new Uint8Array(rows * row);
  for (const [y, { first, shares }] of sharesOf(height, rows).entries())
    for (let at = 0; at < row; at++) {
      let sum = 0;
      for (const [i, share] of shares.entries()) sum += share * narrow[(first + i) * row + at];
      out[y * row + at] = Math.round(sum);
    }
  return { pixels: out, width: columns, height: rows, channels };
}
