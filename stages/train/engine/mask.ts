/** The mask of dropout in WebAssembly: the numbers that {@link Random.float} would draw, one after the other. */
import {
  advance,
  again,
  constant,
  END,
  F32,
  F64,
  functionsIn,
  get,
  I32,
  I64,
  LOOP,
  moduleOf,
  set,
  words,
} from "../../shared/compute/assembler.ts";
import type { Random } from "../../shared/compute/random.ts";

const wide = (value: number) => [0x42, ...constant(value).slice(1)]; // i64.const
const [AND, OR, XOR, SHIFT, ROTATE] = [0x83, 0x84, 0x85, 0x86, 0x89]; // of i64

/**
 * (to, values, state, rate, kept): writes `kept` for each number of at least `rate`, else 0. Numbers are compared as the
 * whole numbers of 2^-53 that they are, and the result masks the bits of `kept`: a branch that nobody can predict would take
 * longer than the draw.
 */
function draw(): number[] {
  const [to, values, state, rate, kept, first, second, mixed, least, bits] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  /** The lowest bits of a draw of xoroshiro128+ (Blackman & Vigna 2018), its state one step further. */
  const next = (lowest: number) => [
    ...[...get(first), ...get(second), 0x7c, ...wide(2 ** lowest - 1), AND],
    ...[...get(first), ...get(second), XOR, ...set(mixed)],
    ...[...get(first), ...wide(24), ROTATE, ...get(mixed), XOR, ...get(mixed), ...wide(16), SHIFT, XOR],
    ...[...set(first), ...get(mixed), ...wide(37), ROTATE, ...set(second)],
  ];
  const scale = [...new Uint8Array(Float64Array.of(2 ** 53).buffer)];
  const body = [
    ...[...get(state), 0x29, 3, 0, ...set(first), ...get(state), 0x29, 3, 8, ...set(second)],
    ...[...get(rate), 0x44, ...scale, 0xa2, 0x9b, 0xb0, ...set(least)], // ceil, as i64
    ...[...get(kept), 0xbc, ...set(bits)], // as i32
    ...LOOP,
    ...[...get(to), ...constant(0)],
    ...[...next(26), ...wide(27), SHIFT, ...next(27), OR, ...get(least), 0x59], // at least? 1 or 0
    ...[0x6b, ...get(bits), 0x71, 0x36, 2, 0], // 0 less that, and the bits, store
    ...[...advance(to, 4), ...again(values)],
    END,
    ...[...get(state), ...get(first), 0x37, 3, 0, ...get(state), ...get(second), 0x37, 3, 8],
  ];
  return [2, 4, I64, 1, I32, ...body, END];
}

const MODULE = moduleOf({ d: { takes: [...words(3), F64, F32], body: draw() } });

/** Writes a mask; `to` and `state` are byte addresses, of the values and of 16 bytes for the generator. */
export type Masks = (to: number, values: number, state: number, rate: number, random: Random) => void;

/** A memory for masks that are copied elsewhere. */
let own: { memory: WebAssembly.Memory; masks: Masks } | undefined;
const PAGE = 65_536;

/** A mask of dropout: as many values of 0, or of 1 / (1 - rate). */
export function drawMask(size: number, rate: number, random: Random): Float32Array {
  if (size === 0) return new Float32Array(0); // a pass writes one value at least
  if (!own) {
    const memory = new WebAssembly.Memory({ initial: 1 });
    own = { memory, masks: masksIn(memory) };
  }
  const { memory, masks } = own;
  const missing = 16 + 4 * size - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  masks(16, size, 0, rate, random); // the generator's state is before the values
  return new Float32Array(memory.buffer, 16, size).slice();
}

/** Masks in a memory. */
export function masksIn(memory: WebAssembly.Memory): Masks {
  const { d: write } = functionsIn(memory, MODULE)!; // it needs no vectors
  return (to, values, state, rate, random) =>
    random.handOver(([s01, s00, s11, s10]) => {
      const parts = new Int32Array(memory.buffer, state, 4);
      parts.set([s00, s01, s10, s11]);
      write(to, values, state, rate, 1 / (1 - rate));
      return [parts[1], parts[0], parts[3], parts[2]];
    });
}
