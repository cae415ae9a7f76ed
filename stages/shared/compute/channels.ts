/**
 * Loops of a depthwise convolution's gradients and of activations in WebAssembly, along the channels of images whose
 * channels come last: they are neighbours in memory, so that a vector holds four of them.
 */
import {
  ADD,
  again,
  END,
  F32,
  functionsIn,
  get,
  I32,
  LOOP,
  loadVector,
  MULTIPLY,
  moduleOf,
  plus,
  set,
  storeVector,
  V128,
  words,
} from "./assembler.ts";

const VECTOR = 16;
/** Vectors that a loop takes at once: a line of the cache. */
const BLOCK = 4;

const ZERO = [0xfd, 0x0c, ...Array<number>(VECTOR).fill(0)];
const copy = (from: number, to: number) => [...get(from), ...set(to)];
const step = (local: number, bytes: number) => [...get(local), 0x41, ...signed(bytes), 0x6a, ...set(local)];
/** A small whole number as signed LEB128. */
const signed = (value: number): number[] => (value < 64 ? [value] : [(value & 127) | 128, value >> 7]);
const splat = (local: number) => [...get(local), 0xfd, 0x13];
const [LESS, GREATER, AND, LEAST, MOST] = [[0x43], [0x44], [0x4e], [0xe8, 1], [0xe9, 1]].map((code) => [
  0xfd,
  ...code,
]);

/** The accumulators of a block, from local `first` on: += the product of what two addresses hold. */
const accumulate = (x: number, w: number, first: number, vectors: number) =>
  Array.from({ length: vectors }, (_, k) => [
    ...[...loadVector(x, k * VECTOR), ...loadVector(w, k * VECTOR), ...MULTIPLY],
    ...[...get(first + k), ...ADD, ...set(first + k)],
  ]).flat();
const clear = (first: number, vectors: number) =>
  Array.from({ length: vectors }, (_, k) => [...ZERO, ...set(first + k)]).flat();

/**
 * (x, w, y, rows, columns, xRow, xColumn, wRow, wColumn, pixels, xStep, yStep, blocks): y[p] = Σ x[p + tap] w[tap] over
 * `rows` x `columns` taps, for neighbouring pixels and blocks of channels; what begins with x, w or y are bytes.
 */
function gather(vectors: number): number[] {
  const [x, w, y, rows, columns, xRow, xColumn, wRow, wColumn, pixels, xStep, yStep, blocks] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
  ];
  const [xBlock, wBlock, yBlock, left, xLine, wLine, row, xTap, wTap, column] = [
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
  ];
  const sums = 23;
  const body = [
    ...LOOP,
    ...[...copy(x, xBlock), ...copy(w, wBlock), ...copy(y, yBlock), ...copy(blocks, left)],
    ...LOOP,
    ...[...clear(sums, vectors), ...copy(xBlock, xLine), ...copy(wBlock, wLine), ...copy(rows, row)],
    ...LOOP,
    ...[...copy(xLine, xTap), ...copy(wLine, wTap), ...copy(columns, column)],
    ...LOOP,
    ...accumulate(xTap, wTap, sums, vectors),
    ...[...plus(xTap, xColumn), ...plus(wTap, wColumn), ...again(column), END],
    ...[...plus(xLine, xRow), ...plus(wLine, wRow), ...again(row), END],
    ...Array.from({ length: vectors }, (_, k) => [
      ...[...get(yBlock), ...get(sums + k), ...storeVector(k * VECTOR)],
    ]).flat(),
    ...[xBlock, wBlock, yBlock].flatMap((local) => step(local, vectors * VECTOR)),
    ...[...again(left), END],
    ...[...plus(x, xStep), ...plus(y, yStep), ...again(pixels), END],
  ];
  return [2, 10, I32, vectors, V128, ...body, END];
}

/** (x, y, w, pixels, xStep, yStep, blocks): w += Σ x[p] y[p] over pixels, for blocks of channels. */
function correlate(vectors: number): number[] {
  const [x, y, w, pixels, xStep, yStep, blocks] = [0, 1, 2, 3, 4, 5, 6];
  const [xPixel, yPixel, left] = [7, 8, 9];
  const sums = 10;
  const body = [
    ...LOOP,
    ...Array.from({ length: vectors }, (_, k) => [...loadVector(w, k * VECTOR), ...set(sums + k)]).flat(),
    ...[...copy(x, xPixel), ...copy(y, yPixel), ...copy(pixels, left)],
    ...LOOP,
    ...accumulate(xPixel, yPixel, sums, vectors),
    ...[...plus(xPixel, xStep), ...plus(yPixel, yStep), ...again(left), END],
    ...Array.from({ length: vectors }, (_, k) => [
      ...[...get(w), ...get(sums + k), ...storeVector(k * VECTOR)],
    ]).flat(),
    ...[x, y, w].flatMap((local) => step(local, vectors * VECTOR)),
    ...[...again(blocks), END],
  ];
  return [2, 3, I32, vectors, V128, ...body, END];
}

/** (slopes, y, out, vectors, high): out = slopes where 0 < y < high, else 0. */
function mask(): number[] {
  const [slopes, y, out, vectors, high, value] = [0, 1, 2, 3, 4, 5];
  const body = [
    ...LOOP,
    ...[...loadVector(y), ...set(value), ...get(out), ...loadVector(slopes)],
    ...[...get(value), ...ZERO, ...GREATER, ...AND, ...get(value), ...splat(high), ...LESS, ...AND],
    ...storeVector(),
    ...[slopes, y, out].flatMap((local) => step(local, VECTOR)),
    ...[...again(vectors), END],
  ];
  return [1, 1, V128, ...body, END];
}

/** (y, vectors, high): y = min(high, max(0, y)). */
function clip(): number[] {
  const [y, vectors, high] = [0, 1, 2];
  const body = [
    ...LOOP,
    ...[...get(y), ...loadVector(y), ...ZERO, ...MOST, ...splat(high), ...LEAST, ...storeVector()],
    ...[...step(y, VECTOR), ...again(vectors), END],
  ];
  return [0, ...body, END];
}

const MODULE = moduleOf({
  a: { takes: words(13), body: gather(BLOCK) },
  b: { takes: words(13), body: gather(1) },
  c: { takes: words(7), body: correlate(BLOCK) },
  d: { takes: words(7), body: correlate(1) },
  e: { takes: [...words(4), F32], body: mask() },
  f: { takes: [...words(2), F32], body: clip() },
});

/** Loops along channels; addresses and steps in bytes, channels as a number. */
export interface Channels {
  /** See {@link gather}. */
  gather(taps: Taps, x: number, w: number, y: number, pixels: number, channels: number): void;
  /** See {@link correlate}. */
  correlate(
    x: number,
    y: number,
    w: number,
    pixels: number,
    xStep: number,
    yStep: number,
    channels: number,
  ): void;
  /** See {@link mask}. @param values how many */
  mask(slopes: number, y: number, out: number, values: number, high: number): void;
  /** See {@link clip}. */
  clip(y: number, values: number, high: number): void;
}

/** The taps of {@link gather}, and the steps from a pixel to the next. */
export interface Taps {
  rows: number;
  columns: number;
  xRow: number;
  xColumn: number;
  wRow: number;
  wColumn: number;
  xStep: number;
  yStep: number;
}

/** The loops at work on a memory; undefined where the engine has no vectors. */
export function channelsIn(memory: WebAssembly.Memory): Channels | undefined {
  const functions = functionsIn(memory, MODULE);
  if (!functions) return undefined;
  const [gather, gatherOne, correlate, correlateOne, mask, clip] = [..."abcdef"].map(
    (name) => functions[name],
  );
  /** Whole blocks, whole vectors, and the channels that are left, by their first channels. */
  const split = (channels: number) => {
    const blocks = Math.floor(channels / (4 * BLOCK));
    const ones = (channels >> 2) - blocks * BLOCK;
    return { blocks, ones, first: blocks * 4 * BLOCK, rest: (channels >> 2) << 2 };
  };
  return {
    gather(taps, x, w, y, pixels, channels) {
      const { rows, columns, xRow, xColumn, wRow, wColumn, xStep, yStep } = taps;
      const { blocks, ones, first, rest } = split(channels);
      const steps = [rows, columns, xRow, xColumn, wRow, wColumn, pixels, xStep, yStep];
      if (blocks) gather(x, w, y, ...steps, blocks);
      if (ones) gatherOne(x + 4 * first, w + 4 * first, y + 4 * first, ...steps, ones);
      if (rest === channels) return;
      const values = new Float32Array(memory.buffer);
      for (let p = 0; p < pixels; p++)
        for (let c = rest; c < channels; c++) {
          let sum = 0;
          for (let i = 0; i < rows; i++)
            for (let j = 0; j < columns; j++) {
              const from = (x + p * xStep + i * xRow + j * xColumn) / 4 + c;
              sum = Math.fround(
                sum + Math.fround(values[from] * values[(w + i * wRow + j * wColumn) / 4 + c]),
              );
            }
          values[(y + p * yStep) / 4 + c] = sum;
        }
    },
    correlate(x, y, w, pixels, xStep, yStep, channels) {
      const { blocks, ones, first, rest } = split(channels);
      if (blocks) correlate(x, y, w, pixels, xStep, yStep, blocks);
      if (ones) correlateOne(x + 4 * first, y + 4 * first, w + 4 * first, pixels, xStep, yStep, ones);
      if (rest === channels) return;
      const values = new Float32Array(memory.buffer);
      for (let p = 0; p < pixels; p++)
        for (let c = rest; c < channels; c++)
          values[w / 4 + c] += Math.fround(values[(x + p * xStep) / 4 + c] * values[(y + p * yStep) / 4 + c]);
    },
    mask(slopes, y, out, values, high) {
      if (values >= 4) mask(slopes, y, out, values >> 2, high);
      const all = new Float32Array(memory.buffer);
      for (let k = (values >> 2) << 2; k < values; k++) {
        const value = all[y / 4 + k];
        all[out / 4 + k] = value > 0 && value < high ? all[slopes / 4 + k] : 0;
      }
    },
    clip(y, values, high) {
      if (values >= 4) clip(y, values >> 2, high);
      const all = new Float32Array(memory.buffer);
      for (let k = (values >> 2) << 2; k < values; k++)
        all[y / 4 + k] = Math.min(high, Math.max(0, all[y / 4 + k]));
    },
  };
}
