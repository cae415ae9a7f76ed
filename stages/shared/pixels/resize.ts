/** Bilinear or bicubic resizing of whole batches, or of a view of each image, in tight loops over typed arrays. */
import { cubicTaps, resizeBicubic } from "./bicubic.ts";
import { blendIn } from "./blend.ts";
import { keepsColours, recolour } from "./colour.ts";
import type { Scaling, Shape, Target } from "./shape.ts";
import type { View } from "./view.ts";

/**
 * For each target position where its two sources begin, and the weight of the second; half-pixel centres, edges
 * repeated.
 * @param from pixels of the image
 * @param stride from one source to the next
 * @param start of the window, in pixels of the image
 * @param length of the window
 */
function taps(from: number, to: number, stride: number, start = 0, length = from) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * length) / to - 0.5 + start, 0), from - 1);
    const below = Math.floor(at);
    first[i] = stride * below;
    second[i] = stride * Math.min(below + 1, from - 1);
    weight[i] = at - below;
  }
  return { first, second, weight };
}
type Taps = ReturnType<typeof taps>;

const mirrorOf = ({ first, second, weight }: Taps): Taps => ({
  first: first.toReversed(),
  second: second.toReversed(),
  weight: weight.toReversed(),
});

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const PAGE = 65_536;
/** The values that one step of the inner loop writes; the last step of a row may write that many too far. */
const STEP = 2;

/** Resizes batches into buffers of its own. */
export class Resizer {
  /** Images as the target says, in its order: filled by {@link fill} and {@link fillViews}. */
  readonly buffers: Float32Array[];
  private readonly shape: Shape;
  private readonly target: Target;
  private readonly scaling: Scaling;
  /** Values of a row that are interpolated together. */
  private readonly line: number;
  private readonly columns: Taps;
  private readonly mirroredColumns: Taps;
  private readonly rows: Taps;
  /** Columns resized, rows not yet: `[height, line]`. At the memory's start. */
  private readonly narrow: Float32Array;
  private readonly blend: ReturnType<typeof blendIn>;
  /** An image in other colours. */
  private readonly coloured: Float32Array;

  /**
   * @param target the images to make, or the side of square ones with three planes
   * @param images the most that a buffer takes
   * @param buffers how many to have
   */
  constructor(shape: Shape, target: number | Target, scaling: Scaling, images: number, buffers = 1) {
    this.shape = shape;
    this.target =
      typeof target === "number" ? { height: target, width: target, channels: 3, planes: true } : target;
    this.scaling = scaling;
    const { height, width, channels, planes } = this.target;
    this.line = planes ? width : width * channels;
    this.columns = taps(shape.width, width, shape.channels);
    this.rows = taps(shape.height, height, FLOAT * this.line);
    this.mirroredColumns = mirrorOf(this.columns);
    this.coloured = new Float32Array(shape.height * shape.width * shape.channels);
    const narrow = shape.height * this.line;
    const buffer = images * channels * height * width;
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
   * Resizes `[images, height, width, channels]` bytes to floats into a buffer; grey images fill all three channels.
   * @param mirrored left and right exchanged
   * @returns the buffer; its bytes behind these images are undefined
   */
  fill(buffer: number, pixels: Uint8Array, images: number, mirrored = false): Float32Array {
    const { height, width, channels } = this.shape;
    const out = this.buffers[buffer];
    const columns = mirrored ? this.mirroredColumns : this.columns;
    if (this.scaling.resampling === "bicubic") {
      const window = { left: 0, top: 0, width, height, mirrored };
      for (let image = 0; image < images; image++)
        this.bicubic(pixels, image * height * width * channels, window, out, image);
      return out;
    }
    let to = out.byteOffset;
    for (let image = 0; image < images; image++)
      to = this.one(pixels, image * height * width * channels, columns, this.rows, to);
    return out;
  }

  /**
   * Resizes one view of each image into a buffer.
   * @param images which of `pixels`, one for each view
   * @returns the buffer; its bytes behind these views are undefined
   */
  fillViews(buffer: number, pixels: Uint8Array, images: ArrayLike<number>, views: View[]): Float32Array {
    const { shape, target, line } = this;
    const out = this.buffers[buffer];
    const size = shape.height * shape.width * shape.channels;
    let to = out.byteOffset;
    for (const [index, view] of views.entries()) {
      if (this.scaling.resampling === "bicubic") {
        this.bicubicView(pixels, images[index] * size, view, out, index);
        continue;
      }
      const columns = taps(shape.width, target.width, shape.channels, view.left, view.width);
      const rows = taps(shape.height, target.height, FLOAT * line, view.top, view.height);
      const from = images[index] * size;
      const plain = keepsColours(view);
      if (!plain) recolour(pixels, from, view, shape.channels, this.coloured);
      const seen = view.mirrored ? mirrorOf(columns) : columns;
      to = plain ? this.one(pixels, from, seen, rows, to) : this.one(this.coloured, 0, seen, rows, to);
      this.hide(out, index, view);
    }
    return out;
  }

  /**
   * Resizes one image. Columns come first: the rows that are interpolated then are few.
   * @param from where it starts in `pixels`
   * @param to byte address of the result
   * @returns the address behind it
   */
  private one(pixels: Uint8Array | Float32Array, from: number, columns: Taps, rows: Taps, to: number) {
    const { target, line } = this;
    const pairs = Math.ceil(line / STEP);
    const together = target.planes ? 1 : target.channels;
    for (let channel = 0; channel < target.channels; channel += together) {
      for (let c = 0; c < together; c++) this.narrowChannel(pixels, from, columns, channel + c, c, together);
      for (let row = 0; row < target.height; row++) {
        this.blend(rows.first[row], rows.second[row], to, pairs, rows.weight[row]);
        to += FLOAT * line;
      }
    }
    return to;
  }

  /** Resizes a view of one image by cubes, and hides its hidden parts. */
  private bicubicView(pixels: Uint8Array, from: number, view: View, out: Float32Array, index: number): void {
    const plain = keepsColours(view);
    if (!plain) recolour(pixels, from, view, this.shape.channels, this.coloured);
    this.bicubic(plain ? pixels : this.coloured, plain ? from : 0, view, out, index);
    this.hide(out, index, view);
  }

  /** Resizes the window of one image by cubes into the place of an image in a buffer. */
  private bicubic(
    pixels: Uint8Array | Float32Array,
    from: number,
    { left, top, width, height, mirrored }: Pick<View, "left" | "top" | "width" | "height" | "mirrored">,
    out: Float32Array,
    index: number,
  ): void {
    const { shape, target, scaling } = this;
    const columns = cubicTaps(shape.width, target.width, left, width, mirrored);
    const rows = cubicTaps(shape.height, target.height, top, height);
    const to = index * target.channels * target.height * target.width;
    resizeBicubic(pixels, from, shape, columns, rows, target, scaling, out, to);
  }

  /** Resizes the columns of a channel. @param at where its first value goes; @param step to its next */
  private narrowChannel(
    pixels: Uint8Array | Float32Array,
    from: number,
    { first, second, weight }: Taps,
    channel: number,
    at: number,
    step: number,
  ): void {
    const { narrow, scaling, target } = this;
    const { height, width, channels } = this.shape;
    const scale = 1 / (255 * scaling.std[channel]);
    const shift = -scaling.mean[channel] / scaling.std[channel];
    const base = from + (channels === 3 ? channel : 0);
    for (let row = 0, to = at; row < height; row++) {
      const start = base + row * width * channels;
      for (let column = 0; column < target.width; column++, to += step) {
        const a = pixels[start + first[column]];
        const b = pixels[start + second[column]];
        narrow[to] = (a + (b - a) * weight[column]) * scale + shift;
      }
    }
  }

  /** Gives the hidden parts of a view the mean colour, which enters as 0. */
  private hide(out: Float32Array, index: number, { hidden }: View): void {
    const { height, width, channels, planes } = this.target;
    const [lines, step] = planes ? [channels, 1] : [1, channels];
    for (const rectangle of hidden) {
      const [left, right] = [rectangle.left, rectangle.left + rectangle.width].map((x) =>
        Math.round(x * width),
      );
      const [top, bottom] = [rectangle.top, rectangle.top + rectangle.height].map((y) =>
        Math.round(y * height),
      );
      for (let line = 0; line < lines; line++)
        for (let row = top; row < bottom; row++) {
          const start = ((index * lines + line) * height + row) * width * step;
          out.fill(0, start + left * step, start + right * step);
        }
    }
  }
}
