/** Networks: shapes, training against use, dropout, and the same weights by the same seed. */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { variablesOf } from "../../../stages/shared/compute/variables.ts";
import { dropout, type NetworkDefinition } from "../../../stages/train/network.ts";
import linear from "../../../stages/train/networks/linear.ts";
import mlp from "../../../stages/train/networks/mlp.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

const build = (network: NetworkDefinition, params: Record<string, unknown>, seed = 1, input = [6], dim = 3) =>
  network.build({ input, dim, params, seed, random: random(seed, "dropout") });

const values = (x: tf.Tensor) => Array.from(x.dataSync());

const weightsOf = (model: layers.LayersModel) => model.getWeights().map(values);

const batchOf = (count: number, seed = 1) => {
  const stream = random(seed, "batch");
  return tf.tensor2d(
    Float32Array.from({ length: count * 6 }, () => stream.normal()),
    [count, 6],
  );
};

describe("dropout", () => {
  test("leaves out the share asked for and scales up the rest", () => {
    const x = tf.ones([100, 100]);
    const y = values(dropout(x, 0.3, random(1, "dropout")));
    const zeros = y.filter((value) => value === 0).length;
    expect(Math.abs(zeros / y.length - 0.3)).toBeLessThan(0.02);
    for (const value of y) expect(value === 0 || Math.abs(value - 1 / 0.7) < 1e-6).toBe(true);
  });

  test("a rate of 0 is the tensor itself", () => {
    const x = tf.ones([2, 2]);
    expect(dropout(x, 0, random(1, "dropout"))).toBe(x);
  });

  test("another mask at each step, the same masks by the same seed", () => {
    const masks = () => {
      const stream = random(1, "dropout");
      return [1, 2].map(() => values(dropout(tf.ones([10, 10]), 0.5, stream)));
    };
    const [first, second] = masks();
    expect(first).not.toEqual(second);
    expect(masks()).toEqual([first, second]);
  });

  test("the gradient passes where a value was kept", () => {
    const stream = random(3, "dropout");
    const x = tf.ones([4, 5]);
    let kept: number[] = [];
    const gradient = tf.grad((input: tf.Tensor) => {
      const y = dropout(input, 0.5, stream);
      kept = values(y);
      return tf.sum(y);
    })(x);
    expect(values(gradient)).toEqual(kept);
  });
});

describe.each([
  ["linear", linear, {}],
  ["mlp", mlp, { hidden: [8, 5], dropout: 0.4 }],
] as [string, NetworkDefinition, Record<string, unknown>][])("%s", (_, network, params) => {
  test("maps a batch to the embeddings' dimensions", () => {
    const { model, train } = build(network, params);
    expect((model.predict(batchOf(7)) as tf.Tensor).shape).toEqual([7, 3]);
    expect(train(batchOf(7)).shape).toEqual([7, 3]);
  });

  test("the same seed gives the same weights, another gives others", () => {
    expect(weightsOf(build(network, params).model)).toEqual(weightsOf(build(network, params).model));
    expect(weightsOf(build(network, params).model)).not.toEqual(weightsOf(build(network, params, 2).model));
  });

  test("use is repeatable and looks at each image alone", () => {
    const { model } = build(network, params);
    const batch = batchOf(5);
    const whole = values(model.predict(batch) as tf.Tensor);
    expect(values(model.predict(batch) as tf.Tensor)).toEqual(whole);
    const first = values(model.predict(tf.slice(batch, [0, 0], [1, 6])) as tf.Tensor);
    for (const [k, value] of first.entries()) expect(value).toBeCloseTo(whole[k], 5);
  });

  test("the gradient reaches every trainable weight", () => {
    const { model, train } = build(network, params);
    const variables = variablesOf(model.trainableWeights);
    const { grads } = tf.variableGrads(() => tf.sum(tf.square(train(batchOf(9)))) as tf.Scalar, variables);
    expect(Object.keys(grads).length).toBe(variables.length);
    for (const gradient of Object.values(grads)) expect(values(gradient).some((x) => x !== 0)).toBe(true);
  });
});

test("mlp: layers by `hidden`, none of them with a bias beside batch norm", () => {
  const { model } = build(mlp, { hidden: [8, 5], dropout: 0 });
  const names = model.layers.map((layer) => layer.name);
  expect(names.filter((name) => name.startsWith("dense_"))).toEqual(["dense_1", "dense_2"]);
  expect(model.countParams()).toBe(6 * 8 + 4 * 8 + 8 * 5 + 4 * 5 + 5 * 3 + 3);
});

test("mlp: a training step takes the batch's own mean and moves the running mean; use takes the running mean", () => {
  const { model, train } = build(mlp, { hidden: [8], dropout: 0 });
  const batch = tf.add(batchOf(50), 5);
  const [mean] = model.getLayer("norm_1").getWeights().slice(2, 3);
  expect(values(mean).every((x) => x === 0)).toBe(true);
  const before = values(model.predict(batch) as tf.Tensor);
  const trained = values(train(batch));
  expect(trained).not.toEqual(before);
  const moved = values(model.getLayer("norm_1").getWeights()[2]);
  expect(moved.some((x) => x !== 0)).toBe(true);
  for (let step = 0; step < 200; step++) tf.tidy(() => void train(batch));
  // With the running mean and variance at the batch's, use gives what training gives.
  const after = values(model.predict(batch) as tf.Tensor);
  for (const [k, value] of after.entries()) expect(value).toBeCloseTo(trained[k], 1);
});

test("mlp: dropout works in training and not in use", () => {
  const { model, train } = build(mlp, { hidden: [8], dropout: 0.5 });
  const batch = batchOf(20);
  expect(values(train(batch))).not.toEqual(values(train(batch)));
  expect(values(model.predict(batch) as tf.Tensor)).toEqual(values(model.predict(batch) as tf.Tensor));
});

test("mlp without hidden layers is linear", () => {
  const { model } = build(mlp, { hidden: [], dropout: 0.5 });
  expect(model.countParams()).toBe(6 * 3 + 3);
});
