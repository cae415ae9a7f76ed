/**
 * Adam (Kingma and Ba 2015) in one pass over WebAssembly's memory, with the bytes of `tf.train.adam`, whose 17 operations
 * for each variable take a fifth of a training step.
 */
import * as tf from "@tensorflow/tfjs-core";
import {
  ADD,
  advance,
  again,
  DIVIDE,
  END,
  F32,
  functionsIn,
  get,
  LOOP,
  loadVector,
  MULTIPLY,
  moduleOf,
  set,
  storeVector,
  tee,
  V128,
  words,
} from "../../shared/compute/assembler.ts";
import { type Heap, memoryHere } from "../../shared/compute/heap.ts";
import { fillSlots, type Optimizer, type OptimizerState, weightOf, zerosFor } from "./optimizer.ts";

const { fround } = Math;
// Numbers become float32 when an operation of tfjs takes them.
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7];
const FIXED = [BETA1, 1 - BETA1, BETA2, 1 - BETA2, EPSILON].map(fround);

/** The powers of both decay rates before the first step. */
export const FIRST_POWERS = [BETA1, BETA2].map(fround);

/** The powers one step later. */
export const nextPowers = ([power1, power2]: number[]): number[] => [
  fround(power1 * fround(BETA1)),
  fround(power2 * fround(BETA2)),
];

/** The numbers of a step but for the rate: how much of the moments is kept and taken, epsilon, and what divides them. */
export const numbersOf = ([power1, power2]: number[]): number[] => [
  ...FIXED,
  fround(1 - power1),
  fround(1 - power2),
];

/** (values, slopes, first, second, out: byte addresses; fours of values, at least 1; the eight numbers of `one`) */
type Pass = (...numbers: number[]) => void;

const SQRT = [0xfd, 0xe3, 1];
const [VALUES, SLOPES, FIRST, SECOND, OUT, FOURS] = [0, 1, 2, 3, 4, 5];
/** The numbers' locals as arguments, and as vectors of four. */
const [NUMBERS, SPLATS, SLOPE, MOMENT] = [6, 14, 22, 23];
const [KEEP1, TAKE1, KEEP2, TAKE2, LEAST, REST1, REST2, RATE] = Array.from(
  { length: 8 },
  (_, k) => SPLATS + k,
);

/** https://webassembly.github.io/spec/core/binary/ */
const BODY = [
  [1, 10, V128],
  ...Array.from({ length: 8 }, (_, k) => [...get(NUMBERS + k), 0xfd, 0x13, ...set(SPLATS + k)]),
  LOOP,
  [...loadVector(SLOPES), ...set(SLOPE)],
  [...get(FIRST)],
  [
    ...loadVector(FIRST),
    ...get(KEEP1),
    ...MULTIPLY,
    ...get(SLOPE),
    ...get(TAKE1),
    ...MULTIPLY,
    ...ADD,
    ...tee(MOMENT),
    ...storeVector(),
  ],
  [...get(OUT), ...get(MOMENT), ...get(REST1), ...DIVIDE], // the address to store to, and the dividend
  [...loadVector(SECOND), ...get(KEEP2), ...MULTIPLY],
  [...get(SLOPE), ...get(SLOPE), ...MULTIPLY, ...get(TAKE2), ...MULTIPLY, ...ADD, ...set(MOMENT)],
  [...get(SECOND), ...get(MOMENT), ...storeVector()],
  [...get(MOMENT), ...get(REST2), ...DIVIDE, ...SQRT, ...get(LEAST), ...ADD, ...DIVIDE],
  [...get(RATE), ...MULTIPLY, ...loadVector(VALUES), ...ADD, ...storeVector()],
  ...[VALUES, SLOPES, FIRST, SECOND, OUT].map((address) => advance(address, 16)),
  [...again(FOURS), END, END],
].flat();

const MODULE = moduleOf({ a: { takes: [...words(6), ...Array<number>(8).fill(F32)], body: BODY } });

/** One value in float32: the new moments, and the new value. Each operation is rounded, as the vectors' are. */
function one(value: number, slope: number, first: number, second: number, numbers: number[]): number[] {
  const [keep1, take1, keep2, take2, least, rest1, rest2, rate] = numbers;
  const m = fround(fround(first * keep1) + fround(slope * take1));
  const v = fround(fround(second * keep2) + fround(fround(slope * slope) * take2));
  const length = fround(fround(Math.sqrt(fround(v / rest2))) + least);
  return [m, v, fround(fround(fround(fround(m / rest1) / length) * rate) + value)];
}

/** Moves one variable; the moments are those in its slots. */
type Step = (variable: tf.Variable, slope: tf.Tensor, numbers: number[]) => void;

/** In one pass. The variable gets new memory: copies of it share the old, and a product may keep it prepared. */
function passStep(pass: Pass, { slots }: OptimizerState): Step {
  return (variable, slope, numbers) => {
    const heap = tf.backend() as unknown as Heap;
    const [first, second] = slots.get(variable.name)!;
    const out = heap.makeOutput(variable.shape, "float32");
    const all = [variable, slope, first, second, out];
    const fours = variable.size >> 2;
    if (fours > 0) pass(...all.map(({ dataId }) => heap.getMemoryOffset(dataId)), fours, ...numbers);
    const [values, slopes, firsts, seconds, results] = all.map((info) => heap.typedArrayFromHeap(info));
    for (let i = fours * 4; i < variable.size; i++)
      [firsts[i], seconds[i], results[i]] = one(values[i], slopes[i], firsts[i], seconds[i], numbers);
    variable.assign(tf.engine().makeTensorFromTensorInfo(out));
  };
}

/** By the operations of tfjs, in the order of `tf.train.adam`. */
function plainStep(state: OptimizerState): Step {
  return (variable, slope, [keep1, take1, keep2, take2, least, rest1, rest2, rate]) => {
    const [first, second] = state.slots.get(variable.name)!;
    const m = tf.add(tf.mul(first, keep1), tf.mul(slope, take1));
    const v = tf.add(tf.mul(second, keep2), tf.mul(tf.square(slope), take2));
    const length = tf.add(tf.sqrt(tf.div(v, rest2)), least);
    variable.assign(tf.add(tf.mul(tf.div(tf.div(m, rest1), length), rate), variable));
    fillSlots(state, variable.name, [m, v]);
  };
}

/**
 * Adam on the backend that is at work: in one pass on WebAssembly with vectors, by operations of tfjs elsewhere.
 */
export function adam(): Optimizer {
  const memory = memoryHere();
  const state: OptimizerState = { slots: new Map(), numbers: FIRST_POWERS };
  let step = plainStep(state);
  const pass = memory && functionsIn(memory, MODULE)?.a;
  if (pass) step = passStep(pass, state);
  return {
    learningRate: 0,
    state,
    applyGradients(gradients) {
      const numbers = [...numbersOf(state.numbers), fround(-this.learningRate)];
      for (const [name, gradient] of Object.entries(gradients)) {
        const variable = weightOf(name);
        if (!state.slots.has(name)) state.slots.set(name, [zerosFor(variable), zerosFor(variable)]);
        tf.tidy(() => step(variable, gradient, numbers));
      }
      state.numbers = nextPowers(state.numbers);
    },
  };
}
