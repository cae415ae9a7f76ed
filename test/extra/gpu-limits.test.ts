/** Gradients and optimizers too long for a GPU take another way: on a GPU that computes nothing and refuses what any may. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { startNamed } from "../../stages/shared/compute/start.ts";
import { MOST_GROUPS } from "../../stages/shared/compute/webgpu-sums.ts";
import { updater } from "../../stages/train/loop/optimizer.ts";
import { putCountingGpu } from "./counting-gpu.ts";

/** Bytes of the longest buffer that a shader sees: the values and moments of two of the weights below are longer. */
const LONGEST = 2 ** 28;

let gpu: ReturnType<typeof putCountingGpu>;
beforeAll(async () => {
  gpu = putCountingGpu({ maxStorageBufferBindingSize: LONGEST });
  await startNamed("webgpu", "test");
});

/** The shaders of the gradient of a filter of 3 x 3. */
function shadersOf([batch, size, from, to]: number[]): number {
  const made = tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([batch, size, size, from]);
    const dy = tf.zeros<tf.Rank.R4>([batch, size, size, to]);
    gpu.take();
    const attrs = { strides: 1, pad: "same", dataFormat: "NHWC", filterShape: [3, 3, from, to] };
    return tf.engine().runKernel("Conv2DBackpropFilter", { x, dy }, attrs) as tf.Tensor;
  });
  expect(made.shape).toEqual([3, 3, from, to]);
  made.dispose();
  return gpu.take().dispatches;
}

it("a gradient of more weights than workgroups", () => {
  expect(3 * 3 * 512 * 1024).toBeGreaterThan(MOST_GROUPS * 64);
  expect(shadersOf([16, 7, 512, 1024])).toBeGreaterThan(0);
  expect(shadersOf([4, 7, 64, 64])).toBeLessThanOrEqual(2); // the direct way
});

/** The shaders of the second step of two weights, and the tensors that are left. @param values of each */
function step(values: number): { dispatches: number; left: number } {
  const before = tf.memory().numTensors;
  const weights = tf.tidy(() => [0, 1].map(() => tf.variable(tf.zeros([values]))));
  const own = updater(weights, { optimizer: "adam", clip: 1 });
  for (let again = 0; again < 2; again++) {
    gpu.take();
    tf.tidy(() => own.update([tf.ones([values]), tf.ones([values])], { head: 0.1, backbone: 0.1 }));
  }
  own.dispose();
  const { dispatches } = gpu.take();
  tf.dispose(weights);
  return { dispatches, left: tf.memory().numTensors - before };
}

it("an optimizer of weights whose moments are longer than a buffer; and no tensor is left", () => {
  const few = step(2 ** 10);
  const many = step(2 ** 24);
  expect(few.left).toBe(0);
  expect(many.left).toBe(0);
  expect(few.dispatches).toBeLessThan(8);
  expect(many.dispatches).toBeGreaterThan(20);
});
