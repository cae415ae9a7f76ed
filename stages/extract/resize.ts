/** Bilinear resizing of whole batches, in tight loops over typed arrays. */
import { blendIn } from "./blend.ts";

/** How an image enters the network: each channel as (byte / 255 - mean) / std. */
export interface Scaling {
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
}

/** Images as they are stored: `[height, width, channels]` bytes, 1 or 3 channels. */
export interface Shape {
  height: number;
  width: number;
  channels: number;
}

/**
 * For each target position where its two sources begin, and the weight of the second; half-pixel centres, edges
 * repeated.
 * @param stride from one source to the next
 */
function taps(from: number, to: number, stride: number) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const below = Math.floor(at);
    first[i] = stride * below;
    second[i] = stride * Math.min(below + 1, from - 1);
    weight[i] = at - below;
  }
  return { first, second, weight };
}

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const PAGE = 65_536;
/** What one step of the inner loop writes; the last step of a row may write that much too far. */
const STEP = 2;

/** Resizes batches into buffers of its own. */
export class Resizer {
  /** `[images, 3, size, size]` each; filled by {@link fill}. */
  readonly buffers: Float32Array[];
  private readonly shape: Shape;
  private readonly size: number;
  private readonly scaling: Scaling;
  private readonly columns: ReturnType<typeof taps>;
  private readonly mirroredColumns: ReturnType<typeof taps>;
  private readonly rows: ReturnType<typeof taps>;
  /** Columns of one channel resized, rows not yet: `[height, size]`. At the memory's start. */
  private readonly narrow: Float32Array;
  private readonly blend: ReturnType<typeof blendIn>;

  /**
   * @param size of the square images to make
   * @param images the most that a buffer takes
   * @param buffers how many to have
   */
  constructor(shape: Shape, size: number, scaling: Scaling, images: number, buffers = 1) {
    this.shape = shape;
    this.size = size;
    this.scaling = scaling;
    this.columns = taps(shape.width, size, shape.channels);
    this.rows = taps(shape.height, size, FLOAT * size);
    const { first, second, weight } = this.columns;
    this.mirroredColumns = {
      first: first.toReversed(),
      second: second.toReversed(),
      weight: weight.toReversed(),
    };
    const narrow = shape.height * size;
    const buffer = images * 3 * size * size;
    const floats = narrow + STEP + buffers * (buffer + STEP);
    const memory = new WebAssembly.Memory({ initial: Math.ceil((floats * FLOAT) / PAGE) });
    this.narrow = new Float32Array(memory.buffer, 0, narrow);
    this.buffers = Array.from(
      { length: buffers },
      (_, index) =>
        new Float32Array(memory.buffer, FLOAT * (narrow + STEP + index * (buffer + STEP)), buffer),
    );
    this.blend = blendIn(memory);
  }

  /**
   * Resizes `[images, height, width, channels]` bytes to floats in NCHW order, into a buffer; grey images fill all
   * three channels. Columns come first: the rows that are interpolated then are few.
   * @param mirrored left and right exchanged
   * @returns the buffer; its bytes behind these images are undefined
   */
  fill(buffer: number, pixels: Uint8Array, images: number, mirrored = false): Float32Array {
    const { size, rows, scaling, narrow } = this;
    const { height, width, channels } = this.shape;
    const { first, second, weight } = mirrored ? this.mirroredColumns : this.columns;
    const out = this.buffers[buffer];
    const pairs = Math.ceil(size / STEP);
    let to = out.byteOffset;
    for (let image = 0; image < images; image++)
      for (let channel = 0; channel < 3; channel++) {
        const scale = 1 / (255 * scaling.std[channel]);
        const shift = -scaling.mean[channel] / scaling.std[channel];
        const base = image * height * width * channels + (channels === 3 ? channel : 0);
        for (let row = 0; row < height; row++) {
          const line = base + row * width * channels;
          const start = row * size;
          for (let column = 0; column < size; column++) {
            const a = pixels[line + first[column]];
            const b = pixels[line + second[column]];
            narrow[start + column] = (a + (b - a) * weight[column]) * scale + shift;
          }
        }
        for (let row = 0; row < size; row++) {
          this.blend(rows.first[row], rows.second[row], to, pairs, rows.weight[row]);
          to += FLOAT * size;
        }
      }
    return out;
  }
}
