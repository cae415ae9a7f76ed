/** Convolutions of the backend `native` and their gradients against tfjs's plain backend. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { startNative } from "../../../../stages/shared/compute/native.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { registerTrainingKernels } from "../../../../stages/train/engine/kernels.ts";
import { relativeError } from "../../train/helpers.ts";

let stop = () => {};
beforeAll(() => startBackend("cpu"));
afterEach(() => stop());

type Images = tf.Tensor4D;
const floats = (seed: number, shape: number[]) => {
  const stream = random(seed, "floats");
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.normal()),
    shape,
  );
};

type Pad = "same" | "valid" | tf.backend_util.ExplicitPadding;
const uneven: Pad = [
  [0, 0],
  [0, 1],
  [2, 1],
  [0, 0],
];

describe.each<[string, typeof tf.conv2d, number[]]>([
  ["a convolution", tf.conv2d, [4, 6]],
  ["a convolution by channel", tf.depthwiseConv2d as unknown as typeof tf.conv2d, [4, 1]],
  ["a convolution by channel, two filters each", tf.depthwiseConv2d as unknown as typeof tf.conv2d, [4, 2]],
])("%s", (_, convolve, channels) => {
  test.each<[number[], [number, number], [number, number], Pad]>([
    [[3, 9, 8], [3, 3], [1, 1], "valid"],
    [[2, 9, 8], [5, 5], [1, 1], "same"],
    [[3, 9, 8], [3, 3], [2, 2], "same"],
    [[3, 8, 9], [3, 3], [2, 2], "valid"], // the strides leave a rest
    [[2, 10, 11], [1, 1], [2, 2], "same"],
    [[2, 10, 11], [3, 2], [2, 3], "same"],
    [[2, 9, 8], [3, 3], [2, 2], uneven],
    [[1, 4, 4], [4, 4], [1, 1], "valid"],
  ])("images %j, filter %j, strides %j, padded %j", async (images, size, strides, pad) => {
    const run = () => {
      const x = floats(1, [...images, channels[0]]) as Images;
      const filter = floats(2, [...size, ...channels]) as Images;
      const f = (a: tf.Tensor, b: tf.Tensor) => convolve(a as Images, b as Images, strides, pad);
      const y = f(x, filter);
      return [y, ...tf.grads(f)([x, filter], floats(3, y.shape))].map((t) => ({
        shape: t.shape,
        values: [...t.dataSync()],
      }));
    };
    await tf.setBackend("cpu");
    const plain = run();
    stop = await startNative();
    const native = run();
    for (const [k, { shape, values }] of plain.entries()) {
      expect(native[k].shape).toEqual(shape);
      expect(relativeError([native[k].values], [values])).toBeLessThan(1e-5);
    }
  });
});

test.each<[number[], number[], [number, number]]>([
  [
    [3, 28, 28, 1],
    [5, 5, 1, 8],
    [1, 1],
  ],
  [
    [2, 11, 12, 1],
    [3, 4, 1, 3],
    [2, 1],
  ],
  [
    [2, 11, 12, 3],
    [4, 3, 3, 5],
    [1, 2],
  ],
  [
    [2, 11, 12, 3],
    [3, 5, 3, 5],
    [3, 4],
  ], // the strides leave a rest
  [
    [9, 40, 40, 8],
    [5, 5, 8, 2],
    [1, 1],
  ], // several blocks
  [
    [2, 9, 9, 1],
    [3, 3, 1, 4],
    [1, 1],
  ], // too few values in a row
])("images %j unfolded for filters %j, strides %j", async (images, size, strides) => {
  const run = () => {
    const [x, filter, bias] = [floats(1, images), floats(2, size), floats(3, [size[3]])];
    const y = tf.fused.conv2d({
      ...{ x: x as Images, filter: filter as Images, bias: bias as tf.Tensor1D },
      ...{ strides, pad: "valid" as const, activation: "relu" as const },
    });
    const f = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as Images, b as Images, strides, "valid");
    return [y, f(x, filter), ...tf.grads(f)([x, filter], floats(4, y.shape))].map((t) => [...t.dataSync()]);
  };
  await tf.setBackend("cpu");
  const plain = run();
  stop = await startNative();
  const kept = tf.engine().backend.numDataIds();
  const native = tf.tidy(run);
  expect(tf.engine().backend.numDataIds()).toBe(kept);
  for (const [k, values] of plain.entries()) expect(relativeError([native[k]], [values])).toBeLessThan(1e-5);
});

test.each(["linear", "relu"] as const)("a convolution with a bias, then %s", async (activation) => {
  const run = () => {
    const [x, filter] = [floats(1, [3, 9, 8, 4]) as Images, floats(2, [3, 3, 4, 6]) as Images];
    const f = (a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor) =>
      tf.fused.conv2d({
        ...{ x: a as Images, filter: b as Images, bias: bias as tf.Tensor1D },
        ...{ strides: 2, pad: "same", activation },
      });
    const given = [x, filter, floats(3, [6])];
    const y = f(given[0], given[1], given[2]);
    return [y, ...tf.grads(f as (...all: tf.Tensor[]) => tf.Tensor)(given, floats(4, y.shape))].map((t) => [
      ...t.dataSync(),
    ]);
  };
  await tf.setBackend("cpu");
  const plain = run();
  stop = await startNative();
  const native = run();
  for (const [k, values] of plain.entries()) expect(relativeError([native[k]], [values])).toBeLessThan(1e-5);
});

test("the kernels of training come after those of native, and what native brought goes with it", async () => {
  const has = () => tf.getKernel("Conv2DBackpropFilter", "wasm") !== undefined;
  await startBackend("wasm");
  expect(has()).toBe(false);
  stop = await startNative();
  expect(has()).toBe(true);
  const kernel = tf.getKernel("Conv2DBackpropInput", "wasm").kernelFunc;
  registerTrainingKernels();
  expect(tf.getKernel("Conv2DBackpropInput", "wasm").kernelFunc).toBe(kernel);
  await startBackend("wasm"); // as a stage of the same process that asks for wasm
  expect(has()).toBe(false);
});
