/**
 * The gradient of a max pool on WebAssembly: each slope goes to the first of the largest values of its window. Four
 * channels are compared at once, and bit masks select the place: a branch on values that nobody can predict would take
 * several times as long.
 */
import type * as tf from "@tensorflow/tfjs-core";
import {
  ADD,
  advance,
  again,
  constant,
  END,
  functionsIn,
  get,
  I32,
  LOOP,
  loadVector,
  moduleOf,
  set,
  storeVector,
  tee,
  V128,
  words,
} from "../../shared/compute/assembler.ts";
import { addressOf, type Heap } from "../../shared/compute/heap.ts";

const VECTOR = 16;
/** Pixels of the largest window whose comparisons are unrolled. */
const MOST = 25;

const [GREATER, AND, WITHOUT, LARGER] = [[0x44], [0x4e], [0x4f], [0xeb, 1]].map((code) => [0xfd, ...code]);

/** The pixels of a window; the bytes from a row, a pixel and a window to the next. */
interface Layout {
  rows: number;
  columns: number;
  row: number;
  pixel: number;
  step: number;
}

/**
 * (x, slopes, to, windows): to += the slopes, at the largest x of each window, for windows of one row and for
 * the first vectors of their channels.
 */
function spread({ rows, columns, row, pixel, step }: Layout, vectors: number): number[] {
  const [x, slopes, to, windows, left, best, value, masks] = [0, 1, 2, 3, 4, 5, 6, 7];
  const places = Array.from({ length: rows * columns }, (_, k) => {
    const [a, b] = [Math.floor(k / columns), k % columns];
    return a * row + b * pixel;
  });
  const later = places.slice(1);
  const mask = (k: number) => masks + k - 1;
  const addTo = (k: number, slope: number[]) => [
    ...[...get(to), ...loadVector(to, places[k]), ...slope, ...ADD, ...storeVector(places[k])],
  ];
  const body = [
    ...LOOP,
    ...[...constant(vectors), ...set(left)],
    ...LOOP,
    ...[...loadVector(x), ...set(best)],
    ...later.flatMap((place, k) => [
      ...[...loadVector(x, place), ...tee(value), ...get(best), ...GREATER, ...set(mask(k + 1))],
      ...[...get(best), ...get(value), ...LARGER, ...set(best)],
    ]),
    // The last that was larger than all before it gets the slope; those before it get 0.
    ...[...loadVector(slopes), ...set(value)],
    ...later.flatMap((_, back) => {
      const k = later.length - back;
      return [
        ...addTo(k, [...get(value), ...get(mask(k)), ...AND]),
        ...[...get(value), ...get(mask(k)), ...WITHOUT, ...set(value)],
      ];
    }),
    ...addTo(0, get(value)),
    ...[x, slopes, to].flatMap((address) => advance(address, VECTOR)),
    ...[...again(left), END],
    ...[x, to].flatMap((address) => advance(address, step - VECTOR * vectors)),
    ...advance(slopes, pixel - VECTOR * vectors),
    ...[...again(windows), END],
  ];
  return [2, 1, I32, masks - best + later.length, V128, ...body, END];
}

const moduleFor = (layout: Layout, vectors: number) =>
  moduleOf({ p: { takes: words(4), body: spread(layout, vectors) } });

type Spread = (x: number, slopes: number, to: number, windows: number) => void;
/** Undefined where the engine has no vectors. */
const known = new WeakMap<WebAssembly.Memory, Map<string, Spread | undefined>>();

function spreadIn(memory: WebAssembly.Memory, layout: Layout, vectors: number): Spread | undefined {
  const inMemory = known.get(memory) ?? new Map<string, Spread | undefined>();
  known.set(memory, inMemory);
  const name = JSON.stringify([layout, vectors]);
  if (!inMemory.has(name)) inMemory.set(name, functionsIn(memory, moduleFor(layout, vectors))?.p);
  return inMemory.get(name);
}

/** The part of a window within its image: from its first row or column to before its last. */
interface Span {
  from: number;
  to: number;
}

const spans = (count: number, step: number, before: number, size: number, length: number): Span[] =>
  Array.from({ length: count }, (_, k) => {
    const first = k * step - before;
    return { from: Math.max(0, first), to: Math.min(length, first + size) };
  });

/** The values, slopes and result of an image. */
interface Image {
  values: Float32Array;
  slopes: Float32Array;
  to: Float32Array;
}

/** The gradient of the channels from `first` on, one by one. */
function rest(
  { values, slopes, to }: Image,
  rows: Span[],
  columns: Span[],
  [width, channels, first]: number[],
): void {
  for (const [y, row] of rows.entries())
    for (const [x, column] of columns.entries())
      for (let c = first; c < channels; c++) {
        let best = (row.from * width + column.from) * channels + c;
        for (let a = row.from; a < row.to; a++)
          for (let b = column.from; b < column.to; b++) {
            const at = (a * width + b) * channels + c;
            if (values[at] > values[best]) best = at;
          }
        to[best] += slopes[(y * columns.length + x) * channels + c];
      }
}

/** Neighbouring windows of equally many columns, equally far apart. */
function runsOf(columns: Span[], step: number): { begin: number; windows: number }[] {
  const runs: { begin: number; windows: number }[] = [];
  for (const [x, { from, to }] of columns.entries()) {
    const before = columns[x - 1];
    if (before && from - before.from === step && to - before.to === step) runs.at(-1)!.windows++;
    else runs.push({ begin: x, windows: 1 });
  }
  return runs;
}

/** The gradient of a max pool of images; of equal values in a window, the first gets the slope. */
export function maxPoolGradient(
  heap: Heap,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const rows = spans(outHeight, info.strideHeight, padInfo.top, info.filterHeight, inHeight);
  const columns = spans(outWidth, info.strideWidth, padInfo.left, info.filterWidth, inWidth);
  const runs = runsOf(columns, info.strideWidth);
  const result = heap.makeOutput(x.shape, "float32");
  const { memory } = heap.wasm.asm ?? {};
  const pixel = 4 * inChannels;
  const [row, step, vectors] = [inWidth * pixel, info.strideWidth * pixel, inChannels >> 2];
  const spreadOf = (height: number, width: number) =>
    memory && vectors && height * width <= MOST
      ? spreadIn(memory, { rows: height, columns: width, row, pixel, step }, vectors)
      : undefined;
  const loops = rows.flatMap((span, y) =>
    runs.map(({ begin, windows }) => ({
      run: spreadOf(span.to - span.from, columns[begin].to - columns[begin].from),
      ...{ windows, from: span.from * row + columns[begin].from * pixel },
      slope: (y * outWidth + begin) * pixel,
    })),
  );
  const fast = loops.every(({ run }) => run !== undefined);
  const [ofX, ofY, of] = [x, dy, result].map((one) => addressOf(heap, one));
  const [values, slopes, to] = [x, dy, result].map((one) => heap.typedArrayFromHeap(one));
  const [size, outSize] = [inHeight * inWidth * inChannels, outHeight * outWidth * inChannels];
  for (let n = 0; n < batchSize; n++) {
    const [at, atSlopes] = [n * size, n * outSize];
    const image = {
      values: values.subarray(at, at + size),
      slopes: slopes.subarray(atSlopes, atSlopes + outSize),
      to: to.subarray(at, at + size).fill(0),
    };
    if (fast)
      for (const { run, windows, from, slope } of loops)
        run!(ofX + 4 * at + from, ofY + 4 * atSlopes + slope, of + 4 * at + from, windows);
    const first = fast ? 4 * vectors : 0;
    if (first < inChannels) rest(image, rows, columns, [inWidth, inChannels, first]);
  }
  return result;
}
