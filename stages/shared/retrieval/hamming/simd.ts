/** The inner loops over codes in WebAssembly: JavaScript has no vectors, and no instruction that counts bits. */
import {
  advance,
  again,
  constant,
  END,
  functionsIn,
  get,
  I32,
  IF,
  LOOP,
  leb,
  moduleOf,
  PAGE,
  set,
  tee,
  V128,
  words,
} from "../../compute/assembler.ts";
import type { Kernel } from "./kernel.ts";

/** Codes of one block; see {@link Kernel}. */
const LANES = 16;
/** So many bytes add up to at most 248 differing bits, which one byte holds. */
const BYTES_IN_A_BYTE = 31;

/** (query, codes, out, blocks): {@link Kernel.distances} for codes of `bytes` bytes, its loop over them unrolled. */
function distances(bytes: number): number[] {
  const [query, codes, out, blocks] = [0, 1, 2, 3];
  const [sum, low, high, splats] = [4, 5, 6, 7];
  const chunks = Array.from({ length: Math.ceil(bytes / BYTES_IN_A_BYTE) }, (_, chunk) =>
    Array.from(
      { length: Math.min(BYTES_IN_A_BYTE, bytes - chunk * BYTES_IN_A_BYTE) },
      (_, i) => chunk * BYTES_IN_A_BYTE + i,
    ),
  );
  const differing = (byte: number) => [
    ...[...get(codes), 0xfd, 0, 4, ...leb(LANES * byte)], // this byte of 16 codes
    ...[...get(splats + byte), 0xfd, 0x51], // xor
    ...[0xfd, 0x62], // i8x16.popcnt
  ];
  const body = [
    ...Array.from({ length: bytes }, (_, byte) => [
      ...[...get(query), 0xfd, 7, 0, ...leb(byte)], // v128.load8_splat
      ...set(splats + byte),
    ]).flat(),
    ...LOOP,
    ...chunks.flatMap((chunk, index) => [
      ...chunk.flatMap((byte, i) => [...differing(byte), ...(i > 0 ? [0xfd, 0x6e] : [])]), // i8x16.add
      ...set(sum),
      ...[low, high].flatMap((half) => [
        ...[...get(sum), 0xfd, half === low ? 0x89 : 0x8a, 0x01], // widen 8 bytes to 16 bits each
        ...(index > 0 ? [...get(half), 0xfd, 0x8e, 0x01] : []), // i16x8.add
        ...set(half),
      ]),
    ]),
    ...[...get(out), ...get(low), 0xfd, 11, 4, 0], // v128.store
    ...[...get(out), ...get(high), 0xfd, 11, 4, 16],
    ...[...advance(codes, LANES * bytes), ...advance(out, 2 * LANES), ...again(blocks)],
    END,
  ];
  return [1, ...leb(3 + bytes), V128, ...body, END];
}

/** (at, items, counters): {@link Kernel.count}. */
function count(): number[] {
  const [at, items, counters, fours, cell] = [0, 1, 2, 3, 4];
  /** One distance: its counter of this lane goes up by one. */
  const one = (lane: number) => [
    ...[...get(at), 0x2f, 0, 2 * lane], // i32.load16_u
    ...[...constant(4), 0x74, ...get(counters), 0x6a, ...tee(cell)], // << 4, + counters
    ...[...get(cell), 0x28, 2, 4 * lane, ...constant(1), 0x6a, 0x36, 2, 4 * lane], // load, + 1, store
  ];
  const body = [
    ...[...get(items), ...constant(2), 0x76, ...tee(fours), ...IF, ...LOOP], // fours = items >> 2; if any
    ...[0, 1, 2, 3].flatMap(one),
    ...[...advance(at, 8), ...again(fours)],
    ...[END, END],
    ...[...get(items), ...constant(3), 0x71, ...tee(items), ...IF, ...LOOP], // what four do not divide
    ...[...one(0), ...advance(at, 2), ...again(items)],
    ...[END, END],
  ];
  return [1, 2, I32, ...body, END];
}

/** (at, eights, limit, out): {@link Kernel.select}. */
function select(): number[] {
  const [at, eights, limit, out, row, mask, limits, near] = [0, 1, 2, 3, 4, 5, 6, 7];
  const body = [
    ...[...get(limit), 0xfd, 0x10, ...set(limits)], // i16x8.splat
    ...LOOP,
    ...[...get(at), 0xfd, 0, 1, 0, ...get(limits), 0xfd, 0x34, ...tee(near)], // eight of them <= limit
    ...[0xfd, 0x53, ...IF], // if any is
    ...[...get(near), 0xfd, 0x84, 0x01, ...set(mask)], // one bit each
    ...LOOP,
    ...[...get(out), ...get(mask), 0x68, ...get(row), 0x6a, 0x36, 2, 0], // store row + place of the lowest
    ...advance(out, 4),
    ...[...get(mask), ...get(mask), ...constant(1), 0x6b, 0x71, ...tee(mask), 0x0d, 0], // mask &= mask - 1
    ...[END, END],
    ...[...advance(row, 8), ...advance(at, 16), ...again(eights)],
    END,
    ...get(out),
  ];
  return [2, 2, I32, 2, V128, ...body, END];
}

const moduleFor = (bytes: number) =>
  moduleOf({
    d: { takes: words(4), body: distances(bytes) },
    c: { takes: words(3), body: count() },
    s: { takes: words(4), gives: I32, body: select() },
  });

/** Whether this processor and engine have such vectors. */
export const hasSimd = (): boolean => WebAssembly.validate(moduleFor(1));

/** The kernel on a memory of its own of at least `size` bytes. */
export function simdKernel(bytes: number, size: number): Kernel {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(size / PAGE) });
  const { d: distances, c: count, s: select } = functionsIn(memory, moduleFor(bytes))!;
  return {
    engine: "wasm-simd",
    buffer: memory.buffer,
    ...{ distances, count, select },
  };
}
