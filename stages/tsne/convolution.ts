/**
 * Convolution of squares of numbers with the kernel of t-SNE's forces, by Fourier transforms.
 *
 * A square is transformed along its columns, transposed, and transformed along its former rows. Columns lie in strips, one
 * strip after the other, each row-major: all passes over a strip find it in the cache.
 */
import { type Complex, Fft } from "./fft.ts";

/** Columns of a strip. */
const STRIP = 32;

/** A strip of a square in a buffer. */
interface Strip {
  /** Its first column. */
  first: number;
  width: number;
  /** Its place in the buffer. */
  start: number;
}

/** Complex numbers, zeros. */
const complex = (length: number): Complex => ({
  re: new Float64Array(length),
  im: new Float64Array(length),
});

/** The same numbers with real and imaginary parts exchanged. */
const exchanged = ({ re, im }: Complex): Complex => ({ re: im, im: re });

/** Two buffers, which all convolutions use in turn. */
export class Workspace {
  x = complex(0);
  y = complex(0);

  /** Makes room for so many numbers in each. */
  fit(length: number): void {
    if (this.x.re.length < length) [this.x, this.y] = [complex(length), complex(length)];
  }

  otherThan(buffer: Complex): Complex {
    return buffer === this.x ? this.y : this.x;
  }
}

/** Convolves squares of numbers with (1 + d²)^-2, without wrapping around. */
export class Convolution {
  readonly size: number;
  readonly spacing: number;
  private readonly fft: Fft;
  private readonly space: Workspace;
  /** The spectra of (1 + d²)^-2 and of 1 / (1 + d²), `[size, size]` in strips, real as these are even. */
  private readonly spectrum: Float64Array;
  private readonly wideSpectrum: Float64Array;

  /** @param size at least twice the nodes along a side; even */
  constructor(size: number, spacing: number, space: Workspace) {
    this.size = size;
    this.spacing = spacing;
    this.fft = new Fft(size);
    this.space = space;
    space.fit(size * size);
    const squares = Float64Array.from({ length: size }, (_, at) => (Math.min(at, size - at) * spacing) ** 2);
    // Spreading and reading each smooth by the B-spline; dividing by its spectrum takes both back.
    const smoothing = Float64Array.from(
      { length: size },
      (_, k) => ((4 + 2 * Math.cos((2 * Math.PI * k) / size)) / 6) ** 2 * size,
    );
    const each = (visit: (row: number, column: number, at: number) => void): void => {
      for (const { first, width, start } of this.strips(size))
        for (let row = 0; row < size; row++)
          for (let column = 0; column < width; column++)
            visit(row, first + column, start + row * width + column);
    };
    const { x } = space;
    each((row, column, at) => {
      const wide = 1 / (1 + squares[row] + squares[column]);
      x.re[at] = wide * wide; // the spectra of even fields are real: two of them come apart as the two parts
      x.im[at] = wide;
    });
    const found = this.transformed(this.turned(this.transformed(x, size), size, size), size);
    this.spectrum = found.re.slice(0, size * size);
    this.wideSpectrum = found.im.slice(0, size * size);
    each((row, column, at) => {
      this.spectrum[at] /= smoothing[row] * smoothing[column];
      this.wideSpectrum[at] /= smoothing[row] * smoothing[column];
    });
  }

  /** The strips of so many columns. */
  private strips(columns: number): Strip[] {
    return Array.from({ length: Math.ceil(columns / STRIP) }, (_, at) => ({
      first: at * STRIP,
      width: Math.min(STRIP, columns - at * STRIP),
      start: at * STRIP * this.size,
    }));
  }

  /** Transforms columns; the inverse is the same with the parts exchanged. @returns the buffer of the result */
  private transformed(buffer: Complex, columns: number, inverse = false): Complex {
    const other = this.space.otherThan(buffer);
    const [from, to] = inverse ? [exchanged(buffer), exchanged(other)] : [buffer, other];
    for (const { width, start } of this.strips(columns)) this.fft.transform(from, to, width, start);
    return this.fft.inSpare ? other : buffer;
  }

  /** The transpose of the first `rows` rows, followed by zeros, in the other buffer. */
  private turned(from: Complex, rows: number, columns: number): Complex {
    const to = this.space.otherThan(from);
    const sources = this.strips(columns);
    for (const part of ["re", "im"] as const) {
      const [input, output] = [from[part], to[part]];
      for (const { first, width, start } of this.strips(rows)) {
        for (const source of sources)
          for (let column = 0; column < source.width; column++) {
            const out = start + (source.first + column) * width;
            let at = source.start + first * source.width + column;
            for (let row = 0; row < width; row++, at += source.width) output[out + row] = input[at];
          }
        output.fill(0, start + columns * width, start + this.size * width);
      }
    }
    return to;
  }

  /** Puts some columns of a field `[nodes, nodes]` into strips, above zeros; columns beyond the field are zeros. */
  private load(field: Float64Array, nodes: number, from: number, columns: number, to: Float64Array): void {
    for (const { first, width, start } of this.strips(columns)) {
      for (let row = 0; row < nodes; row++)
        for (let column = 0; column < width; column++)
          to[start + row * width + column] =
            from + first + column < nodes ? field[row * nodes + from + first + column] : 0;
      to.fill(0, start + nodes * width, start + this.size * width);
    }
  }

  /** The reverse of {@link load}. */
  private store(field: Float64Array, nodes: number, to: number, columns: number, from: Float64Array): void {
    for (const { first, width, start } of this.strips(columns)) {
      const some = Math.min(width, nodes - to - first);
      for (let row = 0; row < nodes; row++)
        for (let column = 0; column < some; column++)
          field[row * nodes + to + first + column] = from[start + row * width + column];
    }
  }

  /** Convolves two fields `[nodes, nodes]`, in place: the parts of one complex field. */
  two(a: Float64Array, b: Float64Array, nodes: number): void {
    const { size, spectrum } = this;
    const { x } = this.space;
    this.load(a, nodes, 0, nodes, x.re);
    this.load(b, nodes, 0, nodes, x.im);
    let found = this.transformed(this.turned(this.transformed(x, nodes), size, nodes), size);
    for (let i = 0; i < size * size; i++) {
      found.re[i] *= spectrum[i];
      found.im[i] *= spectrum[i];
    }
    found = this.turned(this.transformed(found, size, true), nodes, size);
    found = this.transformed(found, nodes, true);
    this.store(a, nodes, 0, nodes, found.re);
    this.store(b, nodes, 0, nodes, found.im);
  }

  /**
   * Convolves one field `[nodes, nodes]`, in place, in half the time of {@link two}: the right half of its columns is the
   * imaginary part of the left half, and half of its spectrum tells the other.
   * @returns the sum over all pairs of nodes of the field at both times 1 / (1 + d²)
   */
  one(field: Float64Array, nodes: number): number {
    const { size, spectrum, wideSpectrum } = this;
    const { x } = this.space;
    const half = Math.ceil(nodes / 2);
    const kept = size / 2 + 1; // frequencies along a column
    this.load(field, nodes, 0, half, x.re);
    this.load(field, nodes, half, half, x.im);
    const found = this.transformed(this.separated(this.transformed(x, half), half), kept);
    let total = 0;
    for (const { first, width, start } of this.strips(kept)) {
      const whole = Math.min(STRIP, size - first); // of the strip of the spectrum
      for (let row = 0; row < size; row++)
        for (let column = 0; column < width; column++) {
          const at = start + row * width + column;
          const re = found.re[at];
          const im = found.im[at];
          const of = start + row * whole + column;
          const times = first + column === 0 || first + column === kept - 1 ? 1 : 2;
          total += times * (re * re + im * im) * wideSpectrum[of];
          found.re[at] = re * spectrum[of];
          found.im[at] = im * spectrum[of];
        }
    }
    const united = this.united(this.transformed(found, kept, true), half);
    const { re, im } = this.transformed(united, half, true);
    this.store(field, nodes, 0, half, re);
    this.store(field, nodes, half, half, im);
    return total;
  }

  /** The transforms of real columns, two of which were one complex column: `[2 half, size / 2 + 1]`, transposed. */
  private separated(from: Complex, half: number): Complex {
    const { size } = this;
    const to = this.space.otherThan(from);
    const sources = this.strips(half);
    for (const { first, width, start } of this.strips(size / 2 + 1)) {
      for (const source of sources)
        for (let column = 0; column < source.width; column++)
          for (let row = 0; row < width; row++) {
            const k = first + row;
            const at = source.start + column;
            const a = at + k * source.width;
            const b = at + (k === 0 ? 0 : size - k) * source.width;
            const left = start + (source.first + column) * width + row;
            const right = left + half * width;
            to.re[left] = (from.re[a] + from.re[b]) / 2;
            to.im[left] = (from.im[a] - from.im[b]) / 2;
            to.re[right] = (from.im[a] + from.im[b]) / 2;
            to.im[right] = (from.re[b] - from.re[a]) / 2;
          }
      for (const part of [to.re, to.im]) part.fill(0, start + 2 * half * width, start + size * width);
    }
    return to;
  }

  /** The inverse of {@link separated}: `[size, half]`. */
  private united(from: Complex, half: number): Complex {
    const { size } = this;
    const to = this.space.otherThan(from);
    const targets = this.strips(half);
    for (const { first, width, start } of this.strips(size / 2 + 1))
      for (const target of targets)
        for (let column = 0; column < target.width; column++)
          for (let row = 0; row < width; row++) {
            const k = first + row;
            const left = start + (target.first + column) * width + row;
            const right = left + half * width;
            const a = target.start + k * target.width + column;
            to.re[a] = from.re[left] - from.im[right];
            to.im[a] = from.im[left] + from.re[right];
            if (k === 0 || k === size / 2) continue;
            const b = target.start + (size - k) * target.width + column;
            to.re[b] = from.re[left] + from.im[right];
            to.im[b] = from.re[right] - from.im[left];
          }
    return to;
  }
}
