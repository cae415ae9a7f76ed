/** Gradients of filters as products and sums, against the plain backend's own. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { filterGradients } from "../../../../stages/shared/compute/filter-gradients.ts";
import { random } from "../../../../stages/shared/compute/random.ts";

beforeAll(() => startBackend("cpu"));

const around = (top: number, bottom: number, left: number, right: number) => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

test.each([
  ["1 × 1", [4, 20, 18, 6], [1, 1, 6, 5], 1, "valid"],
  ["1 × 1 of small images", [4, 3, 5, 6], [1, 1, 6, 5], 1, "valid"],
  ["1 × 1 at every second pixel", [3, 7, 8, 4], [1, 1, 4, 5], 2, "valid"],
  ["3 × 3 with zeros around", [2, 9, 8, 3], [3, 3, 3, 4], 1, "same"],
  ["3 × 3 at every second pixel, unequal zeros", [2, 9, 10, 3], [3, 3, 3, 4], 2, around(0, 1, 1, 2)],
  ["3 × 3 that leaves pixels over", [2, 10, 10, 3], [3, 3, 3, 4], 2, "valid"],
  ["3 × 3 by channel", [2, 9, 8, 5], [3, 3, 5, 1], 1, "same"],
  ["3 × 3 by channel at every second pixel", [2, 9, 8, 5], [3, 3, 5, 1], 2, around(1, 1, 1, 1)],
] as [string, number[], number[], number, never][])("%s", async (_, shape, filterShape, strides, pad) => {
  const stream = random(1, "values");
  const floats = (lengths: number[]) =>
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(lengths) }, () => stream.normal()),
      lengths,
    );
  const depthwise = filterShape[3] === 1;
  const [x, filter] = [floats(shape) as tf.Tensor4D, floats(filterShape) as tf.Tensor4D];
  const y = depthwise ? tf.depthwiseConv2d(x, filter, strides, pad) : tf.conv2d(x, filter, strides, pad);
  const dy = floats(y.shape);
  const attrs = { strides: [strides, strides], pad, filterShape, dilations: [1, 1], dataFormat: "NHWC" };
  const kernelName = depthwise ? "DepthwiseConv2dNativeBackpropFilter" : "Conv2DBackpropFilter";
  const wanted = tf.engine().runKernel(kernelName, { x, dy }, attrs as never) as tf.Tensor;
  const config = filterGradients("cpu", 0).find((one) => one.kernelName === kernelName)!;
  const before = tf.backend().numDataIds();
  const inputs = { x, dy } as unknown as tf.NamedTensorInfoMap;
  const made = config.kernelFunc({ inputs, backend: tf.backend(), attrs: attrs as never }) as tf.TensorInfo;
  expect(tf.backend().numDataIds() - before).toBe(1);
  expect(made.shape).toEqual(filterShape);
  const values = (await tf.backend().read(made.dataId)) as Float32Array;
  const expected = wanted.dataSync() as Float32Array;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [k, value] of values.entries())
    expect(Math.abs(value - expected[k])).toBeLessThan(1e-5 * largest);
});
