/**
 * The features that images are compared by to find near duplicates: the difference hash (Krawetz 2013: which of two neighbours of a
 * 9 x 8 grey image is brighter, 64 bits), and a grey image of 16 x 16, freed of brightness and contrast.
 */

/** Edge of the grey image that is compared. */
const EDGE = 16;
/** Its values. */
export const CELLS = EDGE * EDGE;
/** Of a difference hash. */
export const HASH_BYTES = 8;
/** Standard deviation, in grey levels, below which an image shows nothing that could be compared. */
const FLAT = 2;

/** Rec. 601 luma of red, green and blue. */
const LUMA = [0.299, 0.587, 0.114];

/** Grey levels of pixels `[height, width, channels]`. @param grey `[height * width]`, filled */
export function greyOf(pixels: Uint8Array, channels: number, grey: Float32Array): Float32Array {
  for (let at = 0; at < grey.length; at++)
    grey[at] =
      channels < 3
        ? pixels[at * channels]
        : LUMA[0] * pixels[at * channels] +
          LUMA[1] * pixels[at * channels + 1] +
          LUMA[2] * pixels[at * channels + 2];
  return grey;
}

/** Means of a grey image over `rows` x `columns` cells of nearly equal size, `[rows, columns]`. */
function shrink(
  grey: Float32Array,
  height: number,
  width: number,
  rows: number,
  columns: number,
): Float32Array {
  const small = new Float32Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    const top = Math.floor((y * height) / rows);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * height) / rows));
    for (let x = 0; x < columns; x++) {
      const left = Math.floor((x * width) / columns);
      const right = Math.max(left + 1, Math.floor(((x + 1) * width) / columns));
      let sum = 0;
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++) sum += grey[row * width + column];
      small[y * columns + x] = sum / ((bottom - top) * (right - left));
    }
  }
  return small;
}

/** The difference hash of a grey image `[height, width]`, `[HASH_BYTES]`. */
export function differenceHash(grey: Float32Array, height: number, width: number): Uint8Array {
  const hash = new Uint8Array(HASH_BYTES);
  const steps = shrink(grey, height, width, HASH_BYTES, HASH_BYTES + 1);
  for (let y = 0; y < HASH_BYTES; y++)
    for (let x = 0; x < HASH_BYTES; x++)
      if (steps[y * (HASH_BYTES + 1) + x] < steps[y * (HASH_BYTES + 1) + x + 1]) hash[y] |= 1 << x;
  return hash;
}

/**
 * A small grey image without mean and of length 1, `[CELLS]`: the product of two is their correlation.
 * @returns undefined for an image that shows nothing
 */
export function outline(grey: Float32Array, height: number, width: number): Float32Array | undefined {
  const small = shrink(grey, height, width, EDGE, EDGE);
  const mean = small.reduce((sum, value) => sum + value, 0) / CELLS;
  const length = Math.sqrt(small.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  if (length < FLAT * EDGE) return undefined; // the standard deviation is length / sqrt(CELLS)
  return small.map((value) => (value - mean) / length);
}
