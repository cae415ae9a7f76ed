/** The gradients of PReLU in one pass: the bytes of tfjs's own. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients
import { beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { putPreluGradient } from "../../../../stages/train/engine/prelu.ts";

beforeAll(() => startBackend("wasm"));

function floats(seed: number, shape: number[]): tf.Tensor {
  const stream = random(seed, "floats");
  const scales = [1, 0, -0, 1e-24, 1e8];
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => stream.normal() * scales[i % 5]),
    shape,
  );
}

const own = tf.getGradient("Prelu").gradFunc;

test.each([
  [
    [3, 4, 5, 8],
    [1, 1, 8],
  ],
  [
    [3, 4, 5, 8],
    [4, 5, 8],
  ],
  [[7, 12], [12]],
  [[7, 12], [1]], // tfjs's own: one for all,
  [
    [3, 4, 5, 6],
    [1, 1, 6],
  ], // not in fours,
  [
    [3, 4, 5, 8],
    [4, 1, 8],
  ], // and not beside the values
])("of values %j, slopes %j", (shape, slopes) => {
  const run = () =>
    tf.tidy(() => {
      const f = (x: tf.Tensor, alpha: tf.Tensor) => tf.prelu(x, alpha);
      const found = tf.grads(f as (...all: tf.Tensor[]) => tf.Tensor)(
        [floats(1, shape), floats(2, slopes)],
        floats(3, shape),
      );
      return found.map((t) => ({ shape: t.shape, bits: new Int32Array(t.dataSync().slice().buffer) }));
    });
  tf.getGradient("Prelu").gradFunc = own;
  const expected = run();
  putPreluGradient();
  putPreluGradient();
  const before = tf.memory().numTensors;
  expect(run()).toEqual(expected);
  expect(tf.memory().numTensors).toBe(before);
});
