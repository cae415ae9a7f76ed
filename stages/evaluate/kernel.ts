/** Distances from products, in WebAssembly. */
import {
  advance,
  again,
  END,
  functionsIn,
  get,
  I32,
  LOOP,
  leb,
  loadVector,
  moduleOf,
  set,
  storeVector,
  tee,
  V128,
  words,
} from "../shared/compute/assembler.ts";

/** Items of a group. */
export const GROUP = 64;
/** Values of a vector: of each group the least distance of every fourth item is kept, from the first, the second, … */
export const LANES = 4;
const WORD = 4;
const LONG = 8;
const VECTOR = 16;

/** (at, lengths, lows, groups): products become distances; the least of every fourth of a group's go to `lows`. */
function fromProducts(): number[] {
  const [at, lengths, lows, groups, left] = [0, 1, 2, 3, 4];
  const [low, values, twice] = [5, 6, 7];
  const fill = (byte: number) => Array<number>(VECTOR).fill(byte);
  const lanes = (...words: number[]) => [
    ...[0xfd, 0x0d],
    ...words.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]),
  ];
  /** Two distances, from the products in the low half of a vector. */
  const two = (offset: number) => [
    ...[0xfd, 0x5f, ...set(twice)], // f64x2.promote_low_f32x4
    ...[...loadVector(lengths, offset), ...get(twice), ...get(twice), 0xfd, 0xf0, 1, 0xfd, 0xf1, 1], // add, sub
    ...[0xfd, 0x5e], // f32x4.demote_f64x2_zero
  ];
  const body = [
    ...LOOP,
    // Infinity in every lane: 0x7f800000
    ...[0xfd, 0x0c, ...fill(0).map((_, byte) => [0, 0, 0x80, 0x7f][byte % WORD]), ...set(low)],
    ...[0x41, ...leb(GROUP / LANES), ...set(left)],
    ...LOOP,
    ...[...get(at), ...loadVector(at), ...tee(values), ...two(0)],
    ...[...get(values), ...get(values), ...lanes(2, 3, 2, 3), ...two(2 * LONG)],
    ...[...lanes(0, 1, 4, 5), ...tee(values), ...storeVector()],
    ...[...get(low), ...get(values), 0xfd, 0xea, 1, ...set(low)], // f32x4.pmin
    ...[...advance(at, VECTOR), ...advance(lengths, LANES * LONG), ...again(left)],
    END,
    ...[...get(lows), ...get(low), ...storeVector(), ...advance(lows, VECTOR)],
    ...again(groups),
    END,
  ];
  return [2, 1, I32, 3, V128, ...body, END];
}

const MODULE = moduleOf({ d: { takes: words(4), body: fromProducts() } });

/** See {@link fromProducts}; addresses in bytes. */
export type Conversion = (at: number, lengths: number, lows: number, groups: number) => void;

/** The kernel in a memory; undefined where the engine has no vectors. */
export const conversionIn = (memory: WebAssembly.Memory): Conversion | undefined =>
  functionsIn(memory, MODULE)?.d;
