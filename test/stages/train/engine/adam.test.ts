/** Adam in one pass against tfjs's own, to the last bit. */
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { adam } from "../../../../stages/train/engine/adam.ts";
import type { Optimizer } from "../../../../stages/train/engine/optimizer.ts";

beforeAll(async () => {
  await startBackend("cpu");
  await startBackend("wasm");
});
afterEach(() => tf.setBackend("wasm"));

const SHAPES = [[1], [3], [4], [5], [33, 7], [2, 3, 4], [128, 64]];
const RATES = [1e-3, 1e-3, 0.02, 3e-4, 0, 1e-5, 1e-3, 1e-2];

/** The values of all variables after each of some steps, of the same gradients for every optimizer. */
function trained(
  optimizer: Pick<Optimizer, "learningRate" | "applyGradients">,
  shapes = SHAPES,
): Uint32Array[] {
  const stream = random(1, "gradients");
  const floats = (shape: number[], scale: number) => {
    const size = shape.reduce((a, b) => a * b);
    // Zeros, numbers too small for float32's full precision, and large ones, too.
    const values = Float32Array.from(
      { length: size },
      (_, i) => stream.normal() * scale * [1, 0, 1e-22, 1e6][i & 3],
    );
    return tf.tensor(values, shape);
  };
  const variables = shapes.map((shape) => tf.variable(floats(shape, 1)));
  const results = RATES.map((rate) => {
    optimizer.learningRate = rate;
    tf.tidy(() =>
      optimizer.applyGradients(
        Object.fromEntries(variables.map(({ name, shape }) => [name, floats(shape, 0.1)])),
      ),
    );
    return variables.map((variable) => new Uint32Array((variable.dataSync() as Float32Array).buffer));
  });
  tf.dispose(variables);
  return results.flat();
}

const tfjs = () => tf.train.adam(0) as unknown as Optimizer;

test("on WebAssembly every bit is that of tfjs, at each step and with a rate that changes", () => {
  const optimizer = adam();
  const expected = trained(tfjs());
  expect(trained(optimizer)).toEqual(expected);
  expect(new Set(expected.flatMap((bits) => [...bits])).size).toBeGreaterThan(30_000);
});

test("on another backend, too", async () => {
  await tf.setBackend("cpu");
  const optimizer = adam();
  expect(trained(optimizer)).toEqual(trained(tfjs()));
});

test("the pass is at work on WebAssembly: a step makes no tensor but the new weight", () => {
  const x = tf.variable(tf.ones([16]));
  const gradient = tf.ones([16]);
  const optimizer = adam();
  const step = () => tf.profile(() => optimizer.applyGradients({ [x.name]: gradient }));
  return step().then(async () => expect((await step()).kernelNames).toEqual([]));
});

test("a clone keeps its values, and a product sees the new ones", () => {
  const x = tf.variable(tf.ones([40, 40]));
  const eye = tf.eye(40);
  const kept = tf.clone(x);
  const product = () => tf.matMul(eye, x as unknown as tf.Tensor2D).dataSync()[0];
  expect(product()).toBe(1);
  const optimizer = adam();
  optimizer.learningRate = 0.5;
  optimizer.applyGradients({ [x.name]: tf.ones([40, 40]) });
  expect(product()).toBeCloseTo(0.5, 5);
  expect(kept.dataSync()[0]).toBe(1);
});

test("no memory is left behind", () => {
  const x = tf.variable(tf.ones([6, 5]));
  const optimizer = adam();
  const backend = tf.backend() as unknown as { numDataIds(): number };
  const step = () => tf.tidy(() => optimizer.applyGradients({ [x.name]: tf.ones([6, 5]) }));
  step();
  const before = [backend.numDataIds(), tf.memory().numTensors];
  for (let i = 0; i < 5; i++) step();
  expect([backend.numDataIds(), tf.memory().numTensors]).toEqual(before);
});

test("the heap may grow between two steps", () => {
  const x = tf.variable(tf.ones([8]));
  const optimizer = adam();
  optimizer.learningRate = 0.5;
  const step = () => tf.tidy(() => optimizer.applyGradients({ [x.name]: tf.ones([8]) }));
  step();
  const { memory } = (tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } }).wasm.asm;
  const size = memory.buffer.byteLength;
  const large = tf.zeros([size / 4]);
  expect(memory.buffer.byteLength).toBeGreaterThan(size);
  step();
  large.dispose();
  for (const value of x.dataSync()) expect(value).toBeCloseTo(0, 4);
});
