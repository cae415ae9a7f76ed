/** Kernels and optimizers on WebGPU against those of tfjs on the CPU; prints a line of JSON. See gpu-kernels.test.ts. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers"; // registers the gradients
import { random } from "../../stages/shared/compute/random.ts";
import { startNamed } from "../../stages/shared/compute/start.ts";
import { throughActivation } from "../../stages/shared/trainable/convolve.ts";
import { updater } from "../../stages/train/loop/optimizer.ts";
import type { OptimizerOptions } from "../../stages/train/loop/updater.ts";

const stream = random(1, "values");
const values = (shape: number[]) =>
  Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => stream.normal());

/** The largest difference, over the largest value. */
const apart = (made: ArrayLike<number>, wanted: ArrayLike<number>): number => {
  const all = Array.from(wanted);
  const largest = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const off = all.reduce((most, value, k) => Math.max(most, Math.abs((made[k] ?? Number.NaN) - value)), 0);
  return made.length === all.length ? off / largest : Number.POSITIVE_INFINITY;
};

/** The same work on both. @param inputs are made there */
async function compare(inputs: [Float32Array, number[]][], work: (...given: tf.Tensor[]) => tf.Tensor) {
  const results = [];
  for (const backend of ["cpu", "webgpu"]) {
    await tf.setBackend(backend);
    const given = inputs.map(([own, shape]) => tf.tensor(own, shape));
    results.push(await work(...given).data());
  }
  return apart(results[1], results[0]);
}

const differences: Record<string, number> = {};
await startNamed("webgpu", "test");

for (const [shape, axes] of [
  [[7, 5], [0]],
  [[1, 9], [0]],
  [[300, 3], [0]],
  [[5000, 24], [0]],
  [
    [3, 700, 65],
    [0, 1],
  ],
  [
    [20, 8, 8, 130],
    [0, 1, 2],
  ],
  [[9, 70], [1]],
] as [number[], number[]][])
  for (const keepDims of [false, true])
    differences[`sum of ${shape} over ${axes}${keepDims ? ", dimensions kept" : ""}`] = await compare(
      [[values(shape), shape]],
      (x) => tf.sum(x, axes, keepDims),
    );

for (const activation of ["relu", "relu6"] as const)
  for (const size of [8, 1001]) {
    const y = values([size]).map((value) => Math.min(6, Math.max(0, 4 * value)));
    differences[`slopes through ${activation} of ${size}`] = await compare(
      [[values([size]), [size]], [y, [size]]], // biome-ignore format: a line
      (dy, out) => throughActivation(dy, out, activation),
    );
  }

for (const [x, filter, strides, pad] of [
  [[4, 20, 18, 6], [1, 1, 6, 5], 1, "valid"],
  [[4, 3, 5, 6], [1, 1, 6, 5], 1, "valid"],
  [[3, 7, 8, 4], [1, 1, 4, 5], 2, "valid"],
  [[2, 9, 8, 3], [3, 3, 3, 4], 1, "same"],
  [
    [2, 9, 10, 3],
    [3, 3, 3, 4],
    2,
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [0, 0],
    ],
  ],
  [[2, 10, 10, 3], [3, 3, 3, 4], 2, "valid"],
  [[2, 9, 8, 5], [3, 3, 5, 1], 1, "same"],
  [
    [8, 33, 31, 70],
    [3, 3, 70, 1],
    2,
    [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ],
  ],
] as [number[], number[], number, never][]) {
  // biome-ignore format: a table
  const depthwise = filter[3] === 1;
  const run = (image: tf.Tensor, w: tf.Tensor) =>
    depthwise
      ? tf.depthwiseConv2d(image as tf.Tensor4D, w as tf.Tensor4D, strides, pad)
      : tf.conv2d(image as tf.Tensor4D, w as tf.Tensor4D, strides, pad);
  await tf.setBackend("cpu");
  const { shape } = run(tf.zeros(x), tf.zeros(filter));
  const attrs = {
    strides: [strides, strides],
    pad,
    filterShape: filter,
    dilations: [1, 1],
    dataFormat: "NHWC",
  };
  const name = depthwise ? "DepthwiseConv2dNativeBackpropFilter" : "Conv2DBackpropFilter";
  differences[`filter ${filter} on ${x}, every ${strides}`] = await compare(
    [[values(x), x], [values(shape), shape]], // biome-ignore format: a line
    (image, dy) => tf.engine().runKernel(name, { x: image, dy }, attrs as never) as tf.Tensor,
  );
}

const SHAPES = [[2, 3], [3], [300, 7], [1], [256, 2]];
const RATES = { head: 0.05, backbone: 0.01 };
const [STEPS, SAVED] = [6, 3];
const START = SHAPES.map(values);
const SLOPES = Array.from({ length: STEPS }, () => SHAPES.map(values));

/** Weights after some steps, in which one of them once has no gradient; and a copy of the first from between. */
async function optimise(backend: string, options: OptimizerOptions, interrupted = false) {
  await tf.setBackend(backend);
  let variables = SHAPES.map((shape, k) => tf.variable(tf.tensor(START[k], shape)));
  let own = updater(variables, options, variables.slice(2));
  let copy: tf.Tensor | undefined;
  let copied: Float32Array | undefined;
  for (let step = 0; step < STEPS; step++) {
    if (step === SAVED && interrupted) {
      const saved = structuredClone(await own.save());
      const now = await Promise.all(variables.map(async (one) => (await one.data()) as Float32Array));
      variables = SHAPES.map((shape, k) => tf.variable(tf.tensor(now[k], shape)));
      own = updater(variables, options, variables.slice(2));
      own.restore(saved);
    }
    const slopes = SLOPES[step].map((slope, k) =>
      k === 1 && step < 2 ? undefined : tf.tensor(slope, SHAPES[k]),
    );
    tf.tidy(() => own.update(slopes, RATES));
    if (step === 1) {
      copy = tf.clone(variables[0]);
      copied = Float32Array.from(await variables[0].data());
    }
  }
  const all = await Promise.all(variables.map(async (one) => [...((await one.data()) as Float32Array)]));
  return { weights: all.flat(), changed: apart((await copy!.data()) as Float32Array, copied!) };
}

for (const options of [
  { optimizer: "adam" },
  { optimizer: "adam", clip: 0.5, weightDecay: 0.1 },
  { optimizer: "sgd", clip: 0.5 },
  { optimizer: "sgd", weightDecay: 0.3 },
] as OptimizerOptions[]) {
  const name = Object.entries(options).join(" ");
  const wanted = await optimise("cpu", options);
  const made = await optimise("webgpu", options);
  const resumed = await optimise("webgpu", options, true);
  differences[`weights by ${name}`] = apart(made.weights, wanted.weights);
  differences[`a copy of weights, ${name}`] = made.changed;
  differences[`a resumed training, ${name}`] = apart(resumed.weights, made.weights);
}

process.stdout.write(`\n@${JSON.stringify(differences)}`, () => process.exit(0)); // a driver's threads may go on
