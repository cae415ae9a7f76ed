/** The repulsion of all pairs in WebAssembly, with the bytes of the loops in JavaScript: x and y of a point are one vector. */
import {
  advance,
  again,
  END,
  F64,
  get,
  I32,
  LOOP,
  loadVector,
  named,
  section,
  set,
  sized,
  storeVector,
  V128,
} from "../shared/compute/assembler.ts";

const POINT = 16;
/** Of two float64. */
const [SPLAT, ADD, SUBTRACT, MULTIPLY] = [[0x14], [0xf0, 1], [0xf1, 1], [0xf2, 1]].map((code) => [
  0xfd,
  ...code,
]);
const lane = (index: number) => [0xfd, 0x21, index];
const ONE = [0x44, ...new Uint8Array(Float64Array.of(1).buffer)];
/** Of one float64. */
const [PLUS, TIMES, OVER] = [0xa0, 0xa2, 0xa3];

/** (map, forces, points): adds the force of each pair to both its points; at least two points. @returns the sum of q */
function pairs(): number[] {
  const [map, forces, points, other, to, left] = [0, 1, 2, 3, 4, 5];
  const [total, q] = [6, 7];
  const [own, force, apart, squares] = [8, 9, 10, 11];
  const pair = [
    ...[...get(own), ...loadVector(other), ...SUBTRACT, ...set(apart)],
    ...[...get(apart), ...get(apart), ...MULTIPLY, ...set(squares)],
    // q = 1 / (1 + dx² + dy²)
    ...[
      ...ONE,
      ...ONE,
      ...get(squares),
      ...lane(0),
      PLUS,
      ...get(squares),
      ...lane(1),
      PLUS,
      OVER,
      ...set(q),
    ],
    ...[...get(total), ...get(q), PLUS, ...set(total)],
    ...[...get(q), ...get(q), TIMES, ...SPLAT, ...get(apart), ...MULTIPLY, ...set(apart)],
    ...[...get(force), ...get(apart), ...ADD, ...set(force)],
    ...[...get(to), ...loadVector(to), ...get(apart), ...SUBTRACT, ...storeVector()],
  ];
  const body = [
    ...LOOP,
    ...[...loadVector(map), ...set(own), 0xfd, 0x0c, ...Array<number>(POINT).fill(0), ...set(force)],
    ...[...get(map), ...set(other), ...get(forces), ...set(to), ...get(points), ...set(left)],
    // The first turn is at the next point, and one fewer is left.
    ...[...advance(other, POINT), ...advance(to, POINT), ...get(left), 0x41, 1, 0x6b, ...set(left)],
    ...[...LOOP, ...pair, ...advance(other, POINT), ...advance(to, POINT), ...again(left), END],
    ...[...get(forces), ...loadVector(forces), ...get(force), ...ADD, ...storeVector()],
    ...[...advance(map, POINT), ...advance(forces, POINT)],
    ...[...get(points), 0x41, 1, 0x6b, ...set(points), ...get(points), 0x41, 1, 0x4b, 0x0d, 0], // while more than one
    ...[END, ...get(total)],
  ];
  return [3, 3, I32, 2, F64, 4, V128, ...body, END];
}

/** https://webassembly.github.io/spec/core/binary/ */
const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
  ...section(1, 1, 0x60, 3, I32, I32, I32, 1, F64),
  ...section(2, 1, ...named("e"), ...named("m"), 2, 0, 0), // import of the memory
  ...section(3, 1, 0),
  ...section(7, 1, ...named("p"), 0, 0), // export
  ...section(10, 1, ...sized(pairs())),
]);

/** See {@link pairs}; addresses in bytes. */
export type Pairs = (map: number, forces: number, points: number) => number;

/** The kernel in a memory; undefined where the engine has no vectors. */
export function pairsIn(memory: WebAssembly.Memory): Pairs | undefined {
  if (!WebAssembly.validate(MODULE)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { e: { m: memory } });
  return exports.p as Pairs;
}
