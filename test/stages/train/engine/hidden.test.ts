/** The hidden layer as one operation against batch norm, ReLU and dropout of tfjs: the same bytes. */
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { memoryHere } from "../../../../stages/shared/compute/heap.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { variablesOf } from "../../../../stages/shared/compute/variables.ts";
import { hiddenLayer } from "../../../../stages/train/engine/hidden.ts";
import { drawMask, masksIn } from "../../../../stages/train/engine/mask.ts";
import { dropout } from "../../../../stages/train/network.ts";
import { relativeError } from "../helpers.ts";

beforeAll(async () => {
  await startBackend("cpu");
  await startBackend("wasm");
});
afterEach(() => tf.setBackend("wasm"));

function floats(seed: number, shape: number[], scale = 1): tf.Tensor2D {
  const stream = random(seed, "floats");
  const size = shape.reduce((a, b) => a * b);
  return tf.tensor2d(
    Float32Array.from({ length: size }, () => scale * stream.normal() + 0.3),
    shape as [number, number],
  );
}

type Layer = typeof hiddenLayer;
const plain: Layer = (y, norm, rate, stream) =>
  dropout(tf.relu(norm.apply(y, { training: true }) as tf.Tensor2D), rate, stream);

/** Everything that some steps come to: outputs, gradients, the layer's means, and the next number drawn. */
function run(layer: Layer, [rows, columns]: number[], rate: number, scale: number): Float32Array[] {
  const norm = layers.layers.batchNormalization({ momentum: 0.9 });
  norm.build([null, columns]);
  const [gamma, beta] = variablesOf(norm.trainableWeights);
  gamma.assign(tf.tensor1d(Array.from({ length: columns }, (_, k) => 0.5 + k / columns)));
  beta.assign(tf.tensor1d(Array.from({ length: columns }, (_, k) => 0.3 - k / columns)));
  const stream = random(5, "dropout");
  const found: tf.Tensor[] = [];
  for (let step = 0; step < 2; step++) {
    const x = tf.variable(floats(step, [rows, columns], scale));
    const target = floats(step + 9, [rows, columns]);
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tf.mul(layer(x as unknown as tf.Tensor2D, norm, rate, stream), target)) as tf.Scalar,
      [x, gamma, beta],
    );
    found.push(value, grads[x.name], grads[gamma.name], grads[beta.name]);
  }
  found.push(...norm.getWeights());
  return [...found.map((tensor) => tensor.dataSync() as Float32Array), Float32Array.of(stream.float())];
}

// Zeros of either sign are one value: what dropout leaves out is one of both.
const bits = (values: Float32Array) => new Uint32Array(values.map((value) => value + 0).buffer);

describe.each([0, 0.5, 0.3])("dropout of %d", (rate) => {
  test.each([
    [[1, 4], 1],
    [[2, 8], 1],
    [[50, 64], 1],
    [[37, 12], 1e3],
    [[250, 20], 1e-3],
    [[16, 7], 1], // tfjs's own: no multiple of 4
  ])("%j, values of %d", (shape, scale) => {
    const [fused, expected] = [run(hiddenLayer, shape, rate, scale), run(plain, shape, rate, scale)];
    expect(fused.map((values) => values.length)).toEqual(expected.map((values) => values.length));
    for (const [k, values] of expected.entries()) expect(bits(fused[k]), `result ${k}`).toEqual(bits(values));
  });
});

test("it is one operation on WebAssembly", () => {
  const norm = layers.layers.batchNormalization({});
  norm.build([null, 8]);
  const ran: string[] = [];
  const kernel = tf.getKernel("FusedBatchNorm", "wasm");
  const own = kernel.kernelFunc;
  kernel.kernelFunc = (call) => {
    ran.push("FusedBatchNorm");
    return own(call);
  };
  hiddenLayer(floats(1, [4, 8]), norm, 0.5, random(1, "dropout"));
  expect(ran).toEqual([]);
  hiddenLayer(floats(1, [4, 7]), layers.layers.batchNormalization({}), 0.5, random(1, "dropout"));
  expect(ran).toEqual(["FusedBatchNorm"]);
  kernel.kernelFunc = own;
});

test("another backend agrees", async () => {
  const fused = run(hiddenLayer, [50, 64], 0.5, 1);
  await tf.setBackend("cpu");
  const other = run(hiddenLayer, [50, 64], 0.5, 1);
  for (const [k, values] of other.entries())
    expect(relativeError([[...fused[k]]], [[...values]])).toBeLessThan(1e-4);
});

test("steps leave no memory behind", () => {
  const norm = layers.layers.batchNormalization({});
  norm.build([null, 8]);
  const x = floats(1, [6, 8]);
  const step = () =>
    tf.tidy(
      () => void tf.grad((y) => tf.sum(hiddenLayer(y as tf.Tensor2D, norm, 0.5, random(1, "dropout"))))(x),
    );
  step();
  const backend = tf.backend() as unknown as { numDataIds(): number };
  const before = backend.numDataIds();
  for (let i = 0; i < 5; i++) step();
  expect(backend.numDataIds()).toBe(before);
});

test.each([0.1, 0.5, 0.9])("the mask of %d has the numbers of the stream, and draws as many", (rate) => {
  const [ours, theirs] = [random(3, "dropout"), random(3, "dropout")];
  const write = masksIn(memoryHere()!);
  const at = (tf.backend() as unknown as { wasm: { _malloc(bytes: number): number } }).wasm._malloc(4016);
  for (let round = 0; round < 3; round++) {
    write(at + 16, 1000, at, rate, ours);
    const expected = Float32Array.from({ length: 1000 }, () => (theirs.float() >= rate ? 1 / (1 - rate) : 0));
    expect(new Float32Array(memoryHere()!.buffer, at + 16, 1000)).toEqual(expected);
    expect(ours.float()).toBe(theirs.float());
  }
});

test("a mask that is copied has them too, of any length", () => {
  const [ours, theirs] = [random(3, "dropout"), random(3, "dropout")];
  for (const size of [7, 40_000, 0, 12]) {
    const expected = Float32Array.from({ length: size }, () => (theirs.float() >= 0.3 ? 1 / 0.7 : 0));
    expect(drawMask(size, 0.3, ours)).toEqual(expected);
  }
  expect(ours.float()).toBe(theirs.float());
});
