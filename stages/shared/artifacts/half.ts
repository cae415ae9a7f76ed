/** Float16 numbers, as their bits. */

/** Every float16 as float32, by its bits. */
let halfTable: Float32Array | undefined;

/** Widens float16 values (given by their bits) to float32, exactly. */
export function widen(halves: Uint16Array, out = new Float32Array(halves.length)): Float32Array {
  if (!halfTable) {
    halfTable = new Float32Array(65_536);
    for (let bits = 0; bits < 65_536; bits++) {
      const exponent = (bits >> 10) & 31;
      const mantissa = bits & 1023;
      const size =
        exponent === 31
          ? mantissa === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : exponent === 0
            ? mantissa * 2 ** -24
            : (1 + mantissa / 1024) * 2 ** (exponent - 15);
      halfTable[bits] = bits & 0x8000 ? -size : size;
    }
  }
  const table = halfTable; // a local variable is read faster in the loop
  for (let i = 0; i < halves.length; i++) out[i] = table[halves[i]];
  return out;
}

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** Rounds float32 values to float16 bits, to nearest, ties to even. */
export function narrow(values: Float32Array, out = new Uint16Array(values.length)): Uint16Array {
  for (let i = 0; i < values.length; i++) {
    floatView[0] = values[i];
    const bits = bitsView[0];
    const sign = (bits >>> 16) & 0x8000;
    const size = bits & 0x7fffffff;
    if (size >= 0x47800000) {
      out[i] = sign | (size > 0x7f800000 ? 0x7e00 : 0x7c00); // NaN, or beyond the largest half
    } else if (size >= 0x38800000) {
      const rounded = size + 0xfff + ((size >>> 13) & 1);
      out[i] = sign | ((rounded - 0x38000000) >>> 13);
    } else {
      // Subnormal halves are multiples of 2^-24: adding 0.5 lets the float unit round to one of them.
      floatView[0] = Math.abs(values[i]) + 0.5;
      out[i] = sign | (bitsView[0] - 0x3f000000);
    }
  }
  return out;
}
