/** Gradients of a forward pass on record are those of one that is not interrupted. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients
import { beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { gradientsOf, record, scoped } from "../../../../stages/train/engine/tape.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

const bits = (tensor: tf.Tensor) => [...new Uint32Array((tensor.dataSync() as Float32Array).slice().buffer)];

test("a pass that waits for its loss has the gradients, bit by bit, and leaves no tensor", async () => {
  const [w, v, unused] = [[0.3, -1.2, 0.7, 2.1], [1.5, -0.4], [1]].map((values) =>
    tf.variable(tf.tensor1d(values)),
  );
  const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
  const network = () => tf.relu(tf.matMul(x, tf.reshape(w, [2, 2]))) as tf.Tensor2D;
  const loss = (y: tf.Tensor) => tf.mean(tf.square(tf.mul(y, v))) as tf.Scalar;
  const { grads } = tf.variableGrads(() => loss(network()), [w, v]);
  const wanted = [w, v].map(({ name }) => bits(grads[name]));
  tf.dispose(grads);

  const before = tf.memory().numTensors;
  const found = await scoped(async () => {
    const forward = record(network);
    await forward.value.data();
    const scored = gradientsOf(() => loss(forward.value), [forward.value, v]);
    await scored.value.data();
    const [slopes, own] = scored.gradients;
    const [first, none] = forward.gradients([w, unused], slopes!);
    expect(none).toBeUndefined();
    return [bits(first!), bits(own!)];
  });
  expect(found).toEqual(wanted);
  expect(tf.memory().numTensors).toBe(before);
});
