/** Counts distances by bucket, in WebAssembly where it has vectors: JavaScript takes three times as long. */
import {
  advance,
  again,
  constant,
  END,
  F64,
  functionsIn,
  get,
  I32,
  IF,
  LOOP,
  moduleOf,
  PAGE,
  set,
  tee,
  V128,
  words,
} from "../compute/assembler.ts";

/** The two implementations; both count the same. */
export type Engine = "wasm-simd" | "plain";

/** The buckets of a query: of a distance, `(distance - low) * scale` without its fraction, from 0 to `buckets`. */
export interface Buckets {
  low: number;
  scale: number;
  /** Everything behind the last bucket goes to this one. */
  buckets: number;
}

/** Its arrays are the caller's to fill and read. */
export interface Counter {
  /** `[items]` */
  distances: Float32Array;
  /** Distances in each bucket. Those of a bucket with the highest bit set are also kept. */
  inside: Int32Array;
  /** The distances that are kept. */
  close: Float32Array;
  /**
   * Counts the distances of items; one below the first bucket, or NaN, is in the first.
   * @param kept how many are kept already
   * @returns how many are kept then
   */
  count(from: number, to: number, of: Buckets, kept: number): number;
}

/** The highest bit of a bucket's count: keep its content. */
export const KEEP = 1 << 31;
/** In buckets: behind the last one, and still an int32. */
const FAR = 1 << 30;
const LANES = 4;
const WORD = 4;

/** Almost free of branches: which way an item goes is chance. */
function countPlainly({ distances, inside, close }: Counter): Counter["count"] {
  return (from, to, { low, scale, buckets }, kept) => {
    let next = kept;
    for (let item = from; item < to; item++) {
      const distance = distances[item];
      const place = (distance - low) * scale;
      if (place >= FAR) continue;
      close[next] = distance;
      const past = (place >= 0 ? place | 0 : 0) - buckets;
      const bucket = buckets + (past & (past >> 31)); // the smaller one of place and buckets
      const before = inside[bucket];
      inside[bucket] = before + 1;
      next += before >>> 31;
    }
    return next;
  };
}

/** (at, fours, inside, buckets, close, low, scale): counts; returns the address behind the last distance kept. */
function countFours(): number[] {
  const [at, fours, inside, buckets, close, low, scale] = [0, 1, 2, 3, 4, 5, 6];
  const [cell, before, distances, cells] = [7, 8, 9, 10];
  const [lows, scales, most, bases] = [11, 12, 13, 14];
  /** Two distances' buckets, from the low half of a vector. */
  const two = [
    ...[0xfd, 0x5f], // f64x2.promote_low_f32x4
    ...[...get(lows), 0xfd, 0xf1, 1, ...get(scales), 0xfd, 0xf2, 1], // sub, mul
    ...[0xfd, 0xfc, 1], // i32x4.trunc_sat_f64x2_s_zero: NaN becomes 0
  ];
  const shuffle = (...words: number[]) => [
    ...[0xfd, 0x0d],
    ...words.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]),
  ];
  const one = (lane: number) => [
    ...[...get(close), ...get(distances), 0xfd, 0x1f, lane, 0x38, 2, 0], // store the distance
    ...[...get(cells), 0xfd, 0x1b, lane, ...tee(cell)],
    ...[...get(cell), 0x28, 2, 0, ...tee(before), ...constant(1), 0x6a, 0x36, 2, 0], // load, + 1, store
    // close += 4 if the highest bit is set
    ...[...get(close), ...get(before), ...constant(31), 0x76, ...constant(2), 0x74, 0x6a, ...set(close)],
  ];
  const body = [
    ...[...get(low), 0xfd, 0x14, ...set(lows), ...get(scale), 0xfd, 0x14, ...set(scales)], // f64x2.splat
    ...[...get(buckets), 0xfd, 0x11, ...set(most), ...get(inside), 0xfd, 0x11, ...set(bases)], // i32x4.splat
    ...[...get(fours), ...IF, ...LOOP],
    ...[...get(at), 0xfd, 0, 2, 0, ...tee(distances), ...two],
    ...[...get(distances), ...get(distances), ...shuffle(2, 3, 2, 3), ...two],
    ...shuffle(0, 1, 4, 5),
    ...[0xfd, 0x0c, ...Array<number>(16).fill(0), 0xfd, 0xb8, 1], // max_s with 0
    ...[...get(most), 0xfd, 0xb6, 1], // min_s
    ...[...constant(2), 0xfd, 0xab, 1, ...get(bases), 0xfd, 0xae, 1, ...set(cells)], // << 2, + inside
    ...[0, 1, 2, 3].flatMap(one),
    ...[...advance(at, LANES * WORD), ...again(fours)],
    ...[END, END],
    ...get(close),
  ];
  return [2, 2, I32, 6, V128, ...body, END];
}

const bytes = () => moduleOf({ c: { takes: [...words(5), F64, F64], gives: I32, body: countFours() } });

/** The implementation of this machine. */
export const engineHere = (): Engine => (WebAssembly.validate(bytes()) ? "wasm-simd" : "plain");

/** @param items of a ranking; @param buckets at most; @param engine to choose one */
export function createCounter(items: number, buckets: number, engine = engineHere()): Counter {
  const size = WORD * (items + buckets + 1 + items + 1);
  const memory = engine === "plain" ? undefined : new WebAssembly.Memory({ initial: Math.ceil(size / PAGE) });
  const buffer = memory?.buffer ?? new ArrayBuffer(size);
  const insideAt = WORD * items;
  const closeAt = insideAt + WORD * (buckets + 1);
  const counter: Counter = {
    distances: new Float32Array(buffer, 0, items),
    inside: new Int32Array(buffer, insideAt, buckets + 1),
    close: new Float32Array(buffer, closeAt, items + 1),
    count: () => 0,
  };
  counter.count = countPlainly(counter);
  if (!memory) return counter;
  const rest = counter.count;
  const { c: fours } = functionsIn(memory, bytes())!;
  counter.count = (from, to, of, kept) => {
    const many = (to - from) >> 2;
    const end = fours(WORD * from, many, insideAt, of.buckets, closeAt + WORD * kept, of.low, of.scale);
    return rest(from + LANES * many, to, of, (end - closeAt) / WORD);
  };
  return counter;
}
