/** Gradients of convolutions and pools on WebAssembly against those of tfjs's plain backend. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { registerTrainingKernels } from "../../../../stages/train/engine/kernels.ts";

beforeAll(async () => {
  await startBackend("cpu");
  await startBackend("wasm");
  registerTrainingKernels();
  registerTrainingKernels();
});

afterAll(() => tf.setBackend("wasm"));

function floats(seed: number, shape: number[]): Float32Array {
  const stream = random(seed, "floats");
  return Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.normal());
}

/** The gradients of `f` with respect to its tensors, on one backend. */
async function gradients(
  backend: string,
  shapes: number[][],
  outShape: number[],
  f: (...xs: tf.Tensor[]) => tf.Tensor,
): Promise<number[][]> {
  await tf.setBackend(backend);
  const inputs = shapes.map((shape, k) => tf.tensor(floats(k + 1, shape), shape));
  const dy = tf.tensor(floats(9, outShape), outShape);
  return tf
    .grads(f as (...xs: tf.Tensor[]) => tf.Tensor)(inputs, dy)
    .map((g) => Array.from(g.dataSync()));
}

describe.each([
  ["valid", [3, 9, 8, 2], [5, 4, 2, 3], [3, 5, 5, 3]],
  ["same", [2, 6, 7, 3], [5, 5, 3, 4], [2, 6, 7, 4]],
  ["same", [2, 6, 6, 1], [2, 4, 1, 3], [2, 6, 6, 3]], // pads more on one side than on the other
  ["valid", [1, 5, 5, 4], [1, 1, 4, 2], [1, 5, 5, 2]],
] as ["valid" | "same", number[], number[], number[]][])("conv2d, %s, %j by %j", (pad, x, filter, out) => {
  test("filter and input gradients", async () => {
    const f = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, pad);
    const expected = await gradients("cpu", [x, filter], out, f as never);
    const found = await gradients("wasm", [x, filter], out, f as never);
    for (const [k, values] of expected.entries()) {
      const most = Math.max(...values.map(Math.abs));
      for (const [i, value] of values.entries())
        expect(Math.abs(found[k][i] - value)).toBeLessThan(2e-6 * most);
    }
  });
});

test.each([
  [2, 2, "valid", [2, 6, 8, 3], [2, 3, 4, 3]],
  [2, 2, "valid", [1, 5, 5, 2], [1, 2, 2, 2]], // a row and a column are left over
  [3, 2, "same", [2, 7, 6, 2], [2, 4, 3, 2]], // windows overlap and reach over the edge
] as [
  number,
  number,
  "valid" | "same",
  number[],
  number[],
][])("max pool of %i, stride %i, %s", async (size, stride, pad, x, out) => {
  const f = (a: tf.Tensor) => tf.maxPool(a as tf.Tensor4D, size, stride, pad);
  const [expected] = await gradients("cpu", [x], out, f);
  const [found] = await gradients("wasm", [x], out, f);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 6);
});

test("of equal values in a window one gets the gradient, all of it", async () => {
  await tf.setBackend("wasm");
  const gradient = tf.grad((x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"))(
    tf.ones([1, 4, 4, 1]),
  );
  expect(Array.from(gradient.dataSync())).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
});

test("PReLU has its gradients on WebAssembly", async () => {
  const shapes = [
    [2, 3, 3, 4],
    [1, 1, 4],
  ];
  const f = (x: tf.Tensor, slope: tf.Tensor) => tf.prelu(x, slope);
  const expected = await gradients("cpu", shapes, shapes[0], f as never);
  const found = await gradients("wasm", shapes, shapes[0], f as never);
  for (const [k, values] of expected.entries())
    for (const [i, value] of values.entries()) expect(found[k][i]).toBeCloseTo(value, 4);
});

test("a convolution with strides has the gradients of the plain backend", async () => {
  const shapes = [
    [2, 7, 8, 3],
    [3, 3, 3, 4],
  ];
  const f = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, "valid");
  const expected = await gradients("cpu", shapes, [2, 3, 3, 4], f as never);
  const found = await gradients("wasm", shapes, [2, 3, 3, 4], f as never);
  for (const [k, values] of expected.entries())
    for (const [i, value] of values.entries()) expect(found[k][i]).toBeCloseTo(value, 4);
});

test("no memory is left behind", async () => {
  await tf.setBackend("wasm");
  const step = () =>
    tf.tidy(() => {
      const f = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "valid");
      tf.grads(f as never)([tf.ones([2, 8, 8, 2]), tf.ones([3, 3, 2, 2])]);
    });
  step();
  const before = tf.engine().backend.numDataIds();
  for (let i = 0; i < 5; i++) step();
  expect(tf.engine().backend.numDataIds()).toBe(before);
});
