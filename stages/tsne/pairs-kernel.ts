/** The repulsion of all pairs in WebAssembly, with the bytes of the loops in JavaScript: x and y of a point are one vector. */
import {
  advance,
  again,
  END,
  F64,
  functionsIn,
  get,
  I32,
  LOOP,
  loadVector,
  moduleOf,
  set,
  storeVector,
  V128,
  words,
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

const MODULE = moduleOf({ p: { takes: words(3), gives: F64, body: pairs() } });

/** See {@link pairs}; addresses in bytes. */
export type Pairs = (map: number, forces: number, points: number) => number;

/** The kernel in a memory; undefined where the engine has no vectors. */
export const pairsIn = (memory: WebAssembly.Memory): Pairs | undefined => functionsIn(memory, MODULE)?.p;
