/** The discrete Fourier transform of columns, for sizes without factors other than 2, 3 and 5. */

/** Complex numbers in two arrays of one length. */
export interface Complex {
  re: Float64Array;
  im: Float64Array;
}

const RADICES = [4, 2, 3, 5];
const SIN_60 = Math.sqrt(3) / 2;
const [COS_72, COS_144] = [Math.cos((2 * Math.PI) / 5), Math.cos((4 * Math.PI) / 5)];
const [SIN_72, SIN_144] = [Math.sin((2 * Math.PI) / 5), Math.sin((4 * Math.PI) / 5)];

/** Divides a size by 4, 2, 3 and 5 as often as possible. @returns the divisors, and what remains of the size */
function factorise(size: number): { radices: number[]; rest: number } {
  const radices: number[] = [];
  let rest = size;
  for (const radix of RADICES) for (; rest % radix === 0; rest /= radix) radices.push(radix);
  return { radices, rest };
}

/** The smallest even size from `least` on that {@link Fft} takes. */
export function fastSize(least: number): number {
  let size = 2 * Math.ceil(least / 2);
  while (factorise(size).rest > 1) size += 2;
  return size;
}

/** Where one butterfly reads and writes: `length` numbers at each place. */
interface Pass {
  x: Complex;
  y: Complex;
  /** Of the first input; the next inputs follow at distances of `apart`. */
  from: number;
  apart: number;
  /** Of the first output; the next outputs follow at distances of `length`. */
  to: number;
  length: number;
  /** Twiddle factors of the outputs. */
  cos: number[];
  sin: number[];
}

/** The passes of one radix over all groups. */
interface Stage {
  radix: number;
  /** For each group the twiddle factors of its outputs. */
  turns: Pick<Pass, "cos" | "sin">[];
}

/**
 * A transform of one size (Stockham's algorithm, decimation in frequency): `X[k] = Σ x[j] exp(-2πi jk / size)`.
 * The inverse, times the size, is the same transform with real and imaginary parts exchanged.
 */
export class Fft {
  readonly size: number;
  /** Whether the result is in the second buffer. */
  readonly inSpare: boolean;
  private readonly stages: Stage[] = [];

  /** @param size as {@link fastSize} returns it */
  constructor(size: number) {
    this.size = size;
    const cos = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    const sin = Float64Array.from({ length: size }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    let rest = size;
    for (const radix of factorise(size).radices) {
      const turns = Array.from({ length: rest / radix }, (_, group) => {
        const at = TURNS.map((turn) => (turn * group * (size / rest)) % size);
        return { cos: at.map((i) => cos[i]), sin: at.map((i) => sin[i]) };
      });
      this.stages.push({ radix, turns });
      rest /= radix;
    }
    this.inSpare = this.stages.length % 2 === 1;
  }

  /**
   * Transforms every column of `x` `[size, width]`; destroys both buffers.
   * @param start where the columns begin in both buffers
   * @returns `x` or `spare`, see {@link inSpare}
   */
  transform(x: Complex, spare: Complex, width: number, start = 0): Complex {
    let from = x;
    let to = spare;
    let length = width;
    for (const { radix, turns } of this.stages) {
      const butterfly = BUTTERFLIES[radix];
      const apart = turns.length * length;
      for (let group = 0; group < turns.length; group++) {
        const { cos, sin } = turns[group];
        const at = { from: start + group * length, apart, to: start + radix * group * length };
        butterfly({ x: from, y: to, ...at, length, cos, sin });
      }
      [from, to] = [to, from];
      length *= radix;
    }
    return from;
  }
}

const TURNS = [0, 1, 2, 3, 4];

const BUTTERFLIES: Record<number, (pass: Pass) => void> = { 2: pass2, 3: pass3, 4: pass4, 5: pass5 };

function pass2({ x, y, from, apart, to, length, cos, sin }: Pass): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const [, c1] = cos;
  const [, s1] = sin;
  for (let at = from, out = to; at < from + length; at++, out++) {
    const ar = xr[at];
    const ai = xi[at];
    const br = xr[at + apart];
    const bi = xi[at + apart];
    yr[out] = ar + br;
    yi[out] = ai + bi;
    yr[out + length] = (ar - br) * c1 - (ai - bi) * s1;
    yi[out + length] = (ar - br) * s1 + (ai - bi) * c1;
  }
}

function pass3({ x, y, from, apart, to, length, cos, sin }: Pass): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const [, c1, c2] = cos;
  const [, s1, s2] = sin;
  for (let at = from, out = to; at < from + length; at++, out++) {
    const b = at + apart;
    const c = at + 2 * apart;
    const ar = xr[at];
    const ai = xi[at];
    const pr = xr[b] + xr[c];
    const pi = xi[b] + xi[c];
    const mr = SIN_60 * (xr[b] - xr[c]);
    const mi = SIN_60 * (xi[b] - xi[c]);
    const hr = ar - pr / 2;
    const hi = ai - pi / 2;
    yr[out] = ar + pr;
    yi[out] = ai + pi;
    const o1 = out + length;
    yr[o1] = (hr + mi) * c1 - (hi - mr) * s1;
    yi[o1] = (hr + mi) * s1 + (hi - mr) * c1;
    const o2 = o1 + length;
    yr[o2] = (hr - mi) * c2 - (hi + mr) * s2;
    yi[o2] = (hr - mi) * s2 + (hi + mr) * c2;
  }
}

function pass4({ x, y, from, apart, to, length, cos, sin }: Pass): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const [, c1, c2, c3] = cos;
  const [, s1, s2, s3] = sin;
  for (let at = from, out = to; at < from + length; at++, out++) {
    const b = at + apart;
    const c = at + 2 * apart;
    const d = at + 3 * apart;
    const pr = xr[at] + xr[c];
    const pi = xi[at] + xi[c];
    const mr = xr[at] - xr[c];
    const mi = xi[at] - xi[c];
    const qr = xr[b] + xr[d];
    const qi = xi[b] + xi[d];
    const nr = xr[b] - xr[d];
    const ni = xi[b] - xi[d];
    yr[out] = pr + qr;
    yi[out] = pi + qi;
    const o1 = out + length;
    yr[o1] = (mr + ni) * c1 - (mi - nr) * s1;
    yi[o1] = (mr + ni) * s1 + (mi - nr) * c1;
    const o2 = o1 + length;
    yr[o2] = (pr - qr) * c2 - (pi - qi) * s2;
    yi[o2] = (pr - qr) * s2 + (pi - qi) * c2;
    const o3 = o2 + length;
    yr[o3] = (mr - ni) * c3 - (mi + nr) * s3;
    yi[o3] = (mr - ni) * s3 + (mi + nr) * c3;
  }
}

function pass5({ x, y, from, apart, to, length, cos, sin }: Pass): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const [, c1, c2, c3, c4] = cos;
  const [, s1, s2, s3, s4] = sin;
  for (let at = from, out = to; at < from + length; at++, out++) {
    const b = at + apart;
    const c = at + 2 * apart;
    const d = at + 3 * apart;
    const e = at + 4 * apart;
    const ar = xr[at];
    const ai = xi[at];
    const pr = xr[b] + xr[e];
    const pi = xi[b] + xi[e];
    const mr = xr[b] - xr[e];
    const mi = xi[b] - xi[e];
    const qr = xr[c] + xr[d];
    const qi = xi[c] + xi[d];
    const nr = xr[c] - xr[d];
    const ni = xi[c] - xi[d];
    const ur = ar + COS_72 * pr + COS_144 * qr;
    const ui = ai + COS_72 * pi + COS_144 * qi;
    const vr = SIN_72 * mr + SIN_144 * nr;
    const vi = SIN_72 * mi + SIN_144 * ni;
    const wr = ar + COS_144 * pr + COS_72 * qr;
    const wi = ai + COS_144 * pi + COS_72 * qi;
    const zr = SIN_144 * mr - SIN_72 * nr;
    const zi = SIN_144 * mi - SIN_72 * ni;
    yr[out] = ar + pr + qr;
    yi[out] = ai + pi + qi;
    const o1 = out + length;
    yr[o1] = (ur + vi) * c1 - (ui - vr) * s1;
    yi[o1] = (ur + vi) * s1 + (ui - vr) * c1;
    const o2 = o1 + length;
    yr[o2] = (wr + zi) * c2 - (wi - zr) * s2;
    yi[o2] = (wr + zi) * s2 + (wi - zr) * c2;
    const o3 = o2 + length;
    yr[o3] = (wr - zi) * c3 - (wi + zr) * s3;
    yi[o3] = (wr - zi) * s3 + (wi + zr) * c3;
    const o4 = o3 + length;
    yr[o4] = (ur - vi) * c4 - (ui + vr) * s4;
    yi[o4] = (ur - vi) * s4 + (ui + vr) * c4;
  }
}
