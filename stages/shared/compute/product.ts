/**
 * The matrix product in WebAssembly, with the bytes of tfjs's own: each sum goes along the inner axis, one product after
 * the other. tfjs packs the right operand element by element, and takes no transposed one without a copy of it.
 */
import {
  ADD,
  advance,
  again,
  END,
  functionsIn,
  get,
  I32,
  IF,
  LOOP,
  leb,
  loadVector,
  MULTIPLY,
  moduleOf,
  plus,
  set,
  storeVector,
  V128,
  words,
} from "./assembler.ts";

/**
 * Rows and columns of a tile. Its 8 vectors of sums, the 6 of a step's operands and one product fit into the 15 registers of
 * x86. V8 loads all operands of a turn of the loop before it multiplies any, so a turn of several steps, or a larger tile,
 * spends its time on saving registers.
 */
export const ROWS = 4;
export const COLUMNS = 8;
const WORD = 4;
const VECTOR = 16;

const splat = (local: number, offset: number) => [...get(local), 0xfd, 0x09, 2, ...leb(offset)];

/**
 * (a, b, out, steps, tiles, stride, first): adds to `tiles` tiles of `out`, one below the other, the products of the rows
 * packed in `a` and the columns packed in `b`; where `first`, they begin at 0. `stride`: bytes of a row of `out`.
 */
function multiply(): number[] {
  const [a, b, out, steps, tiles, stride, first] = [0, 1, 2, 3, 4, 5, 6];
  const [left, row, column] = [7, 8, 9];
  const [low, high, value] = [10, 11, 12];
  const sums = Array.from({ length: ROWS * 2 }, (_, k) => 13 + k);
  const step = [
    ...[...loadVector(column), ...set(low)],
    ...[...loadVector(column, VECTOR), ...set(high)],
    ...Array.from({ length: ROWS }, (_, r) => [
      ...[...splat(a, r * WORD), ...set(value)],
      ...[...get(sums[2 * r]), ...get(value), ...get(low), ...MULTIPLY, ...ADD, ...set(sums[2 * r])],
      ...[...get(sums[2 * r + 1]), ...get(value), ...get(high), ...MULTIPLY, ...ADD, ...set(sums[2 * r + 1])],
    ]).flat(),
  ];
  /** Something for each row of a tile of `out`. */
  const rows = (each: (r: number) => number[]) => [
    ...[...get(out), ...set(row)],
    ...Array.from({ length: ROWS }, (_, r) => [...each(r), ...plus(row, stride)]).flat(),
  ];
  const body = [
    ...LOOP,
    ...[...get(first), ...IF],
    ...sums.flatMap((sum) => [0xfd, 0x0c, ...Array<number>(VECTOR).fill(0), ...set(sum)]),
    0x05, // else
    ...rows((r) => [
      ...loadVector(row, 0),
      ...set(sums[2 * r]),
      ...loadVector(row, VECTOR),
      ...set(sums[2 * r + 1]),
    ]),
    END,
    ...[...get(b), ...set(column), ...get(steps), ...set(left)],
    ...[...LOOP, ...step],
    ...[...advance(a, ROWS * WORD), ...advance(column, COLUMNS * WORD), ...again(left)],
    END,
    ...rows((r) => [
      ...[...get(row), ...get(sums[2 * r]), ...storeVector()],
      ...[...get(row), ...get(sums[2 * r + 1]), ...storeVector(VECTOR)],
    ]),
    ...[...get(row), ...set(out)],
    ...again(tiles),
    END,
  ];
  return [2, 3, I32, 3 + 2 * ROWS, V128, ...body, END];
}

/**
 * (from, to, steps, stride, apart, lanes): writes `lanes` values of each step one after the other, `width` of them: the
 * last again where there are fewer. `stride`: bytes between steps, `apart`: between lanes.
 */
function pack(width: number): number[] {
  const [from, to, steps, stride, apart, lanes] = [0, 1, 2, 3, 4, 5];
  const places = Array.from({ length: width }, (_, lane) => 6 + lane);
  const body = [
    ...places.flatMap((place, lane) => [
      ...[...get(from), ...set(place)],
      // from += apart, unless this is the last lane
      ...[
        ...get(from),
        ...get(apart),
        0x41,
        0,
        ...get(lanes),
        0x41,
        lane + 1,
        0x4a,
        0x1b,
        0x6a,
        ...set(from),
      ],
    ]),
    ...LOOP,
    ...places.flatMap((place, lane) => [
      ...[...get(to), ...get(place), 0x2a, 2, 0, 0x38, 2, ...leb(lane * WORD)],
      ...plus(place, stride),
    ]),
    ...[...advance(to, width * WORD), ...again(steps)],
    END,
  ];
  return [1, ...leb(width), I32, ...body, END];
}

const MODULE = moduleOf({
  m: { takes: words(7), body: multiply() },
  r: { takes: words(6), body: pack(ROWS) },
  c: { takes: words(6), body: pack(COLUMNS) },
});

/** A matrix in WebAssembly's memory: its byte address, and the bytes from a row to the next and from a column to the next. */
export interface Place {
  at: number;
  row: number;
  column: number;
}

export interface Sizes {
  rows: number;
  inner: number;
  columns: number;
}

/** Gives the first `columns` of each row of `to` the numbers at `starts`; `width` from a row to the next. */
function startRows(
  memory: WebAssembly.Memory,
  to: number,
  starts: number,
  { rows, columns }: Sizes,
  width: number,
): void {
  const values = new Float32Array(memory.buffer);
  for (let r = 0; r < rows; r++)
    values.copyWithin(to / WORD + r * width, starts / WORD, starts / WORD + columns);
}

/** Rows and inner steps that are packed at once: they stay in a core's second cache. */
const [ROW_BLOCK, INNER_BLOCK] = [64 * ROWS, 320];

const up = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Float32 values of memory that a product needs beside its operands and its output. */
export function scratchOf({ rows, inner, columns }: Sizes): number {
  const steps = Math.min(inner, INNER_BLOCK);
  const packed = steps * (Math.min(up(rows, ROWS), ROW_BLOCK) + up(columns, COLUMNS));
  return packed + (rows % ROWS || columns % COLUMNS ? up(rows, ROWS) * up(columns, COLUMNS) : 0);
}

/**
 * Adds to `tiles` tiles of {@link ROWS} x {@link COLUMNS} sums at `out`, one below the other, the products of the rows
 * packed at `a` ({@link ROWS} values of each step, tile after tile) and the columns packed at `b` ({@link COLUMNS} values
 * of each step); where `first` is 1, the sums begin at 0. All in bytes, `stride` from a row of `out` to the next.
 */
export type Tiles = (
  ...given: [a: number, b: number, out: number, steps: number, tiles: number, stride: number, first: number]
) => void;

/** Tiles of products in a memory, of operands that are packed already; undefined where the engine has no vectors. */
export const tilesIn = (memory: WebAssembly.Memory): Tiles | undefined => functionsIn(memory, MODULE)?.m;

/** A product of matrices. @param starts address of the numbers that the sums of each row begin with; without it at 0 */
export type Product = (
  a: Place,
  b: Place,
  out: number,
  scratch: number,
  sizes: Sizes,
  starts?: number,
) => void;

/** Products in a memory; undefined where the engine has no vectors. */
export function productIn(memory: WebAssembly.Memory): Product | undefined {
  const functions = functionsIn(memory, MODULE);
  if (!functions) return undefined;
  const { m: tiles, r: packRows, c: packColumns } = functions;
  return (a, b, out, scratch, sizes, starts) => {
    const { rows, inner, columns } = sizes;
    const [height, width] = [up(rows, ROWS), up(columns, COLUMNS)];
    const steps = Math.min(inner, INNER_BLOCK);
    const right = scratch + WORD * steps * Math.min(height, ROW_BLOCK);
    const whole = height === rows && width === columns;
    const to = whole ? out : right + WORD * steps * width;
    if (starts !== undefined) startRows(memory, to, starts, sizes, width);
    for (let k = 0; k < inner; k += INNER_BLOCK) {
      const depth = Math.min(INNER_BLOCK, inner - k);
      for (let n = 0; n < columns; n += COLUMNS)
        packColumns(
          ...[b.at + k * b.row + n * b.column, right + WORD * depth * n],
          ...[depth, b.row, b.column, Math.min(COLUMNS, columns - n)],
        );
      for (let m = 0; m < height; m += ROW_BLOCK) {
        const end = Math.min(height, m + ROW_BLOCK);
        for (let r = m; r < end; r += ROWS)
          packRows(
            ...[a.at + r * a.row + k * a.column, scratch + WORD * depth * (r - m)],
            ...[depth, a.column, a.row, Math.min(ROWS, rows - r)],
          );
        for (let n = 0; n < width; n += COLUMNS)
          tiles(
            ...[scratch, right + WORD * depth * n, to + WORD * (m * width + n)],
            ...[depth, (end - m) / ROWS, WORD * width, Number(k === 0 && starts === undefined)],
          );
      }
    }
    if (whole) return;
    const [values, padded] = [new Float32Array(memory.buffer), to / WORD];
    for (let r = 0; r < rows; r++)
      values.copyWithin(out / WORD + r * columns, padded + r * width, padded + r * width + columns);
  };
}
