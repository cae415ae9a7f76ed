/** The kernels before those of tfjs's WebAssembly backend: the same bytes. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { random } from "../../../../stages/shared/compute/random.ts";

const NAMES = ["BatchMatMul", "_FusedMatMul", "Sum", "Mean", "Identity", "Cast"];
/** tfjs's own kernels, and those that were put before them. */
const [own, ours] = [new Map<string, tf.KernelFunc>(), new Map<string, tf.KernelFunc>()];

beforeAll(async () => {
  const keep = (kernels: Map<string, tf.KernelFunc>) => {
    for (const name of NAMES) kernels.set(name, tf.getKernel(name, "wasm").kernelFunc);
  };
  await import("@tensorflow/tfjs-backend-wasm");
  keep(own);
  await startBackend("wasm");
  keep(ours);
});

/** The results of tfjs's kernels and of ours. */
function both<T>(work: () => T): [T, T] {
  const run = (kernels: Map<string, tf.KernelFunc>) => {
    for (const [name, kernel] of kernels) tf.getKernel(name, "wasm").kernelFunc = kernel;
    return work();
  };
  const theirs = run(own);
  return [theirs, run(ours)];
}

function floats(seed: number, shape: number[]): tf.Tensor {
  const stream = random(seed, "floats");
  const size = shape.reduce((a, b) => a * b, 1);
  // Zeros of both signs, numbers too small for float32's full precision, and large ones, too.
  const scales = [1, 0, -0, 1e-3, 1, 1e-24, 1e8];
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => stream.normal() * scales[i % 7]),
    shape,
  );
}

const bits = (tensor: tf.Tensor) => new Uint32Array((tensor.dataSync() as Float32Array).slice().buffer);

test("ours are at work", () => {
  for (const name of NAMES) expect(ours.get(name), name).not.toBe(own.get(name));
});

test.each([
  [5, 4, 8], // a whole tile
  [7, 5, 3],
  [301, 330, 9], // more than a block of rows, and of inner steps
  [500, 256, 64],
  [6, 645, 17],
])("a product with a bias: %i x %i by %i", (rows, inner, columns) => {
  const [a, b] = [floats(1, [rows, inner]), floats(2, [inner, columns])] as [tf.Tensor2D, tf.Tensor2D];
  const bias = floats(3, [columns]);
  for (const activation of ["linear", "relu"] as const) {
    const [theirs, own] = both(() => tf.fused.matMul({ a, b, bias, activation }));
    expect(own.shape).toEqual([rows, columns]);
    expect(bits(own)).toEqual(bits(theirs));
  }
});

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])("a product, transposed %s and %s", (transposeA, transposeB) => {
  test.each<[number[], number[]]>([
    [
      [1, 1],
      [1, 1],
    ],
    [
      [5, 4],
      [4, 8],
    ], // a whole tile
    [
      [7, 5],
      [5, 3],
    ],
    [
      [10, 7],
      [7, 16],
    ],
    [
      [64, 100],
      [100, 65],
    ],
    [
      [301, 330],
      [330, 9],
    ], // more than a block of rows, and of inner steps
    [
      [6, 645],
      [645, 17],
    ],
    [
      [1, 7, 5],
      [5, 3],
    ],
    [
      [1, 1, 7, 5],
      [1, 1, 5, 3],
    ],
    [
      [4, 7, 5],
      [4, 5, 3],
    ], // tfjs's own
    [
      [0, 5],
      [5, 3],
    ],
  ])("%j by %j", (left, right) => {
    const flipped = (shape: number[], flip: boolean) =>
      flip ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
    const a = floats(1, flipped(left, transposeA));
    const b = floats(2, flipped(right, transposeB));
    // tfjs adds up in another order where it takes an operand transposed.
    const turned = (x: tf.Tensor, flip: boolean) => {
      const axes = x.shape.map((_, axis) => axis);
      return flip ? tf.transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]) : x;
    };
    const [theirs] = both(() => tf.matMul(turned(a, transposeA), turned(b, transposeB)));
    const mine = tf.matMul(a, b, transposeA, transposeB);
    expect(mine.shape).toEqual(theirs.shape);
    expect(bits(mine)).toEqual(bits(theirs));
  });
});

describe.each([
  ["sum", tf.sum],
  ["mean", tf.mean],
] as const)("a %s", (_, reduce) => {
  test.each<[number[], number | number[] | undefined]>([
    [[7, 5], 0],
    [[250, 64], 0],
    [[1, 16], 0],
    [
      [3, 4, 5],
      [0, 1],
    ],
    [
      [3, 4, 37],
      [1, 0],
    ],
    [[3, 4, 5], 0],
    [[3, 4, 5], -1], // tfjs's own
    [
      [1, 1, 9, 6],
      [0, 1, 2],
    ],
    [[3, 4, 5], [1]],
    [[3, 4], undefined],
    [[0, 4], 0],
  ])("of %j over %j", (shape, axis) => {
    const x = floats(1, shape);
    for (const keep of [false, true]) {
      const [theirs, mine] = both(() => reduce(x, axis, keep));
      expect(mine.shape).toEqual(theirs.shape);
      if (x.size) expect(bits(mine)).toEqual(bits(theirs));
    }
  });
});

test("sums and means of whole numbers are tfjs's own", () => {
  const x = tf.tensor2d([1, 2, 3, 5], [2, 2], "int32");
  const [theirs, mine] = both(() => [tf.sum(x, 0), tf.mean(x, 0)]);
  expect(mine.map(({ dtype }) => dtype)).toEqual(theirs.map(({ dtype }) => dtype));
  expect(mine.map((y) => [...y.dataSync()])).toEqual(theirs.map((y) => [...y.dataSync()]));
});

test("a cast to another type changes the values, to the same it is a clone", () => {
  const x = tf.tensor1d([1.5, -2.5, 0]);
  expect([...tf.cast(x, "int32").dataSync()]).toEqual([1, -2, 0]);
  expect(tf.cast(tf.clone(x), "float32").dataId).toBe(x.dataId);
});

test("a clone outlives what it was made of, and what replaces that", () => {
  const x = tf.variable(tf.tensor1d([1, 2, 3]));
  const [first, second] = [tf.clone(x), tf.clone(x)];
  expect(first.dataId).toBe(x.dataId); // shared, not copied
  x.assign(tf.tensor1d([4, 5, 6]));
  first.dispose();
  tf.ones([3]).dispose(); // would take the memory if it were free
  expect([...second.dataSync()]).toEqual([1, 2, 3]);
  x.dispose();
  expect([...second.dataSync()]).toEqual([1, 2, 3]);
});

test("products leave no memory behind", () => {
  const backend = tf.backend() as unknown as { numDataIds(): number };
  const step = () =>
    tf.tidy(() => {
      const product = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.matMul(tf.clone(a), b), 0);
      tf.grads(product)([floats(1, [8, 9]), floats(2, [9, 7])]);
    });
  step();
  const before = backend.numDataIds();
  for (let i = 0; i < 5; i++) step();
  expect(backend.numDataIds()).toBe(before);
});
