/**
 * Passes over a batch `[rows, columns]` for batch norm, ReLU and dropout and their gradient, in WebAssembly. Each walks
 * the rows from first to last, four columns at a time, beside a table with the numbers of these four columns.
 */
import {
  ADD,
  advance,
  again,
  END,
  functionsIn,
  get,
  I32,
  LOOP,
  loadVector,
  MULTIPLY,
  moduleOf,
  SUBTRACT,
  set,
  storeVector,
  tee,
  V128,
  words,
} from "../../shared/compute/assembler.ts";

const VECTOR = 16;
/** The vectors of a table, by pass. Those of `offset` and `length` hold two float64 each. */
export const TABLES = {
  variance: { mean: 0, sum: 1 },
  forward: { mean: 0, scale: 1, lengths: 2, offsets: 4 },
  sums: {
    ...{ mean: 0, scale: 1, inverse: 2, minus: 3, cube: 4 },
    ...{ offsetSum: 5, scaleSum: 6, meanSum: 7, varianceSum: 8 },
  },
  spread: { mean: 0, slope: 1, sum: 2 },
  backward: { mean: 0, scale: 1, inverse: 2, slope: 3, rest: 4 },
} as const;
export type PassName = keyof typeof TABLES;

const vectorsOf = (pass: PassName) => ({ variance: 2, forward: 6, sums: 9, spread: 3, backward: 5 })[pass];
/** Float32 values of a pass's table. */
export const tableSize = (pass: PassName, columns: number) => vectorsOf(pass) * columns;
/** Where a column's number is in a table, in values. */
export const cellOf = (pass: PassName, vector: number, column: number) =>
  4 * (vectorsOf(pass) * (column >> 2) + vector) + (column & 3);

/** (x, out, kept, slopes, to, table, rows, fours); a pass leaves out what it does not use. */
const [X, OUT, KEPT, SLOPES, TO, TABLE, ROWS, FOURS] = [0, 1, 2, 3, 4, 5, 6, 7];
const [AT, LEFT] = [8, 9];
const [FIRST, SECOND, THIRD, ZERO] = [10, 11, 12, 13];

/** A pass: the body for one vector; its arguments that move on with it. */
function pass(name: PassName, moving: number[], body: number[]): number[] {
  return [
    ...[2, 2, I32, 4, V128],
    ...LOOP,
    ...[...get(TABLE), ...set(AT), ...get(FOURS), ...set(LEFT)],
    ...LOOP,
    ...body,
    ...moving.flatMap((local) => advance(local, VECTOR)),
    ...[...advance(AT, VECTOR * vectorsOf(name)), ...again(LEFT)],
    ...[END, ...again(ROWS)],
    ...[END, END],
  ];
}

const cell = (vector: number) => loadVector(AT, VECTOR * vector);
/** table[vector] += a vector that `value` leaves */
const addTo = (vector: number, value: number[]) => [
  ...[...get(AT), ...cell(vector), ...value, ...ADD, ...storeVector(VECTOR * vector)],
];
const centred = [...loadVector(X), ...cell(0), ...SUBTRACT];

/** sum += (x - mean)² */
function variance(): number[] {
  const { sum } = TABLES.variance;
  return pass("variance", [X], addTo(sum, [...centred, ...tee(FIRST), ...get(FIRST), ...MULTIPLY]));
}

/** to = max(0, (x - mean) * scale / length + offset) * kept; the division and what follows in float64, as in tfjs */
function forward(): number[] {
  const { scale, lengths, offsets } = TABLES.forward;
  /** Two values of the vector FIRST, from float64. */
  const two = (half: number) => [
    ...[0xfd, 0x5f, ...cell(lengths + half), 0xfd, 0xf3, 1], // promote, div
    ...[...cell(offsets + half), 0xfd, 0xf0, 1, 0xfd, 0x5e], // add, demote
  ];
  const shuffle = (...words: number[]) => [
    ...[0xfd, 0x0d],
    ...words.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]),
  ];
  return pass(
    "forward",
    [X, KEPT, TO],
    [
      ...[...centred, ...cell(scale), ...MULTIPLY, ...set(FIRST)],
      ...get(TO),
      ...[...get(FIRST), ...two(0)],
      ...[...get(FIRST), ...get(FIRST), ...shuffle(2, 3, 2, 3), ...two(1)],
      ...shuffle(0, 1, 4, 5),
      ...[...get(ZERO), 0xfd, 0xe9, 1], // max
      ...[...loadVector(KEPT), ...MULTIPLY, ...storeVector()],
    ],
  );
}

const ONES = [0xfd, 0x0c, ...[0, 1, 2, 3].flatMap(() => [0, 0, 0x80, 0x3f])];
/** The slope of dropout's and ReLU's input: slopes * kept * (out > 0) */
const slope = [
  ...[...loadVector(SLOPES), ...loadVector(KEPT), ...MULTIPLY],
  ...[...loadVector(OUT), ...get(ZERO), 0xfd, 0x44, ...ONES, 0xfd, 0x4e, ...MULTIPLY], // gt, and
];

/** The sums of the gradients of offset, scale, mean and variance. */
function sums(): number[] {
  const { scale, inverse, minus, cube, offsetSum, scaleSum, meanSum, varianceSum } = TABLES.sums;
  return pass(
    "sums",
    [X, OUT, KEPT, SLOPES],
    [
      ...[...slope, ...set(FIRST), ...centred, ...set(SECOND)],
      ...addTo(offsetSum, get(FIRST)),
      ...addTo(scaleSum, [...get(SECOND), ...cell(inverse), ...MULTIPLY, ...get(FIRST), ...MULTIPLY]),
      ...[...get(FIRST), ...cell(scale), ...MULTIPLY, ...set(THIRD)],
      ...addTo(meanSum, [...cell(minus), ...get(THIRD), ...MULTIPLY]),
      ...addTo(varianceSum, [...cell(cube), ...get(SECOND), ...MULTIPLY, ...get(THIRD), ...MULTIPLY]),
    ],
  );
}

/** 2 (x - mean) * slope: what reaches x by the variance */
const bySpread = (vector: number) => [
  ...[...centred, ...tee(SECOND), ...get(SECOND), ...ADD, ...cell(vector), ...MULTIPLY],
];

/** sum += what reaches x by the variance */
function spread(): number[] {
  return pass("spread", [X], addTo(TABLES.spread.sum, bySpread(TABLES.spread.slope)));
}

/** to = the gradient of x: directly, by the variance, by the mean */
function backward(): number[] {
  const { scale, inverse, slope: spreads, rest } = TABLES.backward;
  return pass(
    "backward",
    [X, OUT, KEPT, SLOPES, TO],
    [
      ...get(TO),
      ...[...slope, ...cell(inverse), ...MULTIPLY, ...cell(scale), ...MULTIPLY],
      ...[...bySpread(spreads), ...ADD, ...cell(rest), ...ADD, ...storeVector()],
    ],
  );
}

const NAMES: Record<PassName, string> = {
  variance: "a",
  forward: "b",
  sums: "c",
  spread: "d",
  backward: "e",
};
const BODIES = { a: variance(), b: forward(), c: sums(), d: spread(), e: backward() };
const MODULE = moduleOf(
  Object.fromEntries(Object.entries(BODIES).map(([name, body]) => [name, { takes: words(8), body }])),
);

/** Byte addresses of what a pass reads and writes. */
export interface Addresses {
  x: number;
  table: number;
  out?: number;
  kept?: number;
  slopes?: number;
  to?: number;
}

/** Runs a pass over `rows` rows (at least one) of `columns` columns, a multiple of 4. */
export type Passes = (name: PassName, at: Addresses, rows: number, columns: number) => void;

/** Passes in a memory; undefined where the engine has no vectors. */
export function passesIn(memory: WebAssembly.Memory): Passes | undefined {
  const functions = functionsIn(memory, MODULE);
  if (!functions) return undefined;
  return (name, { x, table, out = 0, kept = 0, slopes = 0, to = 0 }, rows, columns) => {
    functions[NAMES[name]](x, out, kept, slopes, to, table, rows, columns / 4);
  };
}
