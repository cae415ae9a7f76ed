/** The backend `native` against `wasm`: products, and the gradients of every loss and every network. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { numbers, readTable } from "../../../../stages/shared/artifacts/arrow.ts";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { loadBinding, sessionOf, startNative } from "../../../../stages/shared/compute/native.ts";
import { Tensor } from "../../../../stages/shared/compute/onnxruntime.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { variablesOf } from "../../../../stages/shared/compute/variables.ts";
import type { Loss } from "../../../../stages/train/loss.ts";
import type { NetworkDefinition } from "../../../../stages/train/network.ts";
import all from "../../../../stages/train/selectors/all.ts";
import allPositive from "../../../../stages/train/selectors/all-positive.ts";
import { runStage } from "../../../run-stage.ts";
import { lossOf, randomRows, relativeError, withDefaults } from "../../train/helpers.ts";
import { writeBlobSplit, writeBlobs } from "../../vectors.ts";

const TOLERANCE = 1e-4;

let stop = () => {};
/** Every product, however small, is native from here to the end of the test. */
const goNative = async (least = 0) => {
  stop = await startNative(least);
};
beforeAll(() => startBackend("wasm"));
afterEach(() => {
  stop();
  stop = () => {};
});

function floats(seed: number, shape: number[]): tf.Tensor {
  const stream = random(seed, "floats");
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.normal());
  return tf.tensor(values, shape);
}

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

/** Values of one and the same work by wasm and by native. */
async function onBoth<T>(work: () => T, least = 0): Promise<[T, T]> {
  const own = work();
  await goNative(least);
  return [own, work()];
}

test("the package's binding multiplies in place, in this version of onnxruntime-node", () => {
  expect(readFileSync("package.json", "utf8"), "pinned: its binding is no public API").toMatch(
    /onnxruntime-node": "1\.30"/,
  );
  const native = loadBinding();
  native.initOrt();
  const out = new Float32Array(6);
  const [a, b] = [Float32Array.from([1, 2, 3, 4]), Float32Array.from([1, 0, 2, 0, 1, 3])];
  const answer = sessionOf(native, false, false, false).run(
    { a: new Tensor("float32", a, [2, 2]), b: new Tensor("float32", b, [2, 3]) },
    { y: new Tensor("float32", out, [2, 3]) },
    {},
  );
  expect(answer, "run() is synchronous").not.toBeInstanceOf(Promise);
  expect([...out], "run() writes into the memory of the tensor that it is given").toEqual([
    1, 2, 8, 3, 4, 18,
  ]);
});

test("products on several threads have the bytes of those on one", async () => {
  const [x, filter, slopes] = [floats(1, [250, 1280]), floats(2, [1280, 512]), floats(3, [250, 512])];
  const work = () => [
    ...values(tf.matMul(x, filter)),
    ...values(tf.matMul(x, slopes, true)),
    ...values(tf.matMul(slopes, filter, false, true)),
  ];
  const made: number[][] = [];
  for (const threads of [1, 2, 3]) {
    stop = await startNative(0, threads);
    made.push(work());
    stop();
  }
  expect(made[1]).toEqual(made[0]);
  expect(made[2]).toEqual(made[0]);
});

describe("a package without such a binding is named", () => {
  class Asynchronous {
    loadModel() {}
  }
  test.each([
    [
      "no file",
      () => {
        throw new Error("Cannot find module './binding.js'\nRequire stack");
      },
      "Cannot find module './binding.js'",
    ],
    ["no initOrt", () => ({ binding: {} }), "no initOrt() and binding.InferenceSession"],
    ["no run", () => ({ initOrt() {}, binding: { InferenceSession: Asynchronous } }), "no initOrt() and"],
  ])("%s", (_, load, said) => {
    expect(() => loadBinding(load)).toThrow("dist/binding.js of onnxruntime-node is not as in version 1.30");
    expect(() => loadBinding(load)).toThrow(said);
    expect(() => loadBinding(load)).not.toThrow("Require stack");
  });
});

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])("a product, transposed %s and %s", (transposeA, transposeB) => {
  test.each([
    [
      [7, 5],
      [5, 3],
    ],
    [
      [1, 1],
      [1, 1],
    ],
    [
      [70, 65],
      [65, 80],
    ],
    [
      [1, 7, 5],
      [5, 3],
    ], // a batch of one
    [
      [1, 7, 5],
      [1, 5, 3],
    ],
    [
      [4, 7, 5],
      [4, 5, 3],
    ], // WebAssembly's own
    [
      [4, 7, 5],
      [1, 5, 3],
    ],
  ])("%j by %j", async (left, right) => {
    const flipped = (shape: number[], flip: boolean) =>
      flip ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
    const a = floats(1, flipped(left, transposeA));
    const b = floats(2, flipped(right, transposeB));
    const [own, native] = await onBoth(() => tf.matMul(a, b, transposeA, transposeB));
    expect(native.shape).toEqual(own.shape);
    expect(relativeError([values(native)], [values(own)])).toBeLessThan(1e-6);
  });
});

test.each(["linear", "relu"] as const)("a fused product with a bias, then %s", async (activation) => {
  const [a, b, bias] = [floats(1, [9, 6]), floats(2, [6, 4]), floats(3, [4])];
  const [own, native] = await onBoth(() =>
    tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation }),
  );
  expect(relativeError([values(native)], [values(own)])).toBeLessThan(1e-6);
});

test("small products are WebAssembly's to the last bit, large ones are onnxruntime's", async () => {
  const product = (size: number) => () => values(tf.matMul(floats(1, [size, size]), floats(2, [size, size])));
  const [small, same] = await onBoth(product(63), 64 ** 3);
  expect(same).toEqual(small);
  stop();
  const [large, native] = await onBoth(product(200), 64 ** 3);
  expect(native).not.toEqual(large); // the order of the sums is another
});

test("products leave no memory behind, and stop when told to", async () => {
  await goNative();
  const backend = tf.backend() as unknown as { numDataIds(): number };
  const step = () =>
    tf.tidy(
      () =>
        void tf.grads((a, b) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D))([
          floats(1, [8, 9]),
          floats(2, [9, 7]),
        ]),
    );
  step();
  const before = backend.numDataIds();
  for (let i = 0; i < 5; i++) step();
  expect(backend.numDataIds()).toBe(before);
  const kernel = tf.getKernel("BatchMatMul", "wasm");
  const native = kernel.kernelFunc;
  stop();
  expect(kernel.kernelFunc).not.toBe(native);
});

const names = (folder: string) =>
  readdirSync(join("stages/train", folder)).map((file) => file.replace(/\.ts$/, ""));

describe("gradients and losses agree", () => {
  test.each(names("losses"))("of the loss %s", async (name) => {
    const loss: Loss = (await import(`../../../../stages/train/losses/${name}.ts`)).default;
    const rows = randomRows(random(3, "rows"), 24, 16, loss.normalise);
    const labels = rows.map((_, i) => i % 4);
    const selector = { triplets: all, pairs: allPositive, nothing: undefined }[loss.selects];
    const features = Float32Array.from(randomRows(random(4, "features"), 24, 3).flat());
    const given = { examples: { values: features, shape: [24, 3] } };
    const [own, native] = await onBoth(() => lossOf(loss, rows, labels, { selector, classes: 4, given }));
    expect(Math.abs(native.loss - own.loss)).toBeLessThanOrEqual(TOLERANCE * Math.abs(own.loss));
    expect(relativeError(native.gradient, own.gradient)).toBeLessThan(TOLERANCE);
    for (const [k, gradient] of own.variables.entries())
      expect(relativeError([[...native.variables[k]]], [[...gradient]])).toBeLessThan(TOLERANCE);
  });

  test.each(names("networks"))("of the network %s", async (name) => {
    const definition: NetworkDefinition = (await import(`../../../../stages/train/networks/${name}.ts`))
      .default;
    const input = definition.takes === "images" ? [16, 16, 3] : [40];
    const x = floats(4, [12, ...input]);
    const target = floats(5, [12, 8]);
    const step = () => {
      const params = withDefaults(definition as never);
      const network = definition.build({ input, dim: 8, params, seed: 1, random: random(1, "dropout") });
      const weights = variablesOf(network.model.trainableWeights);
      const { value, grads } = tf.variableGrads(
        () => tf.mean(tf.square(tf.sub(network.train(x), target))) as tf.Scalar,
        weights,
      );
      return [
        values(value),
        values(network.model.predict(x) as tf.Tensor),
        ...weights.map(({ name }) => values(grads[name])),
      ];
    };
    const [own, native] = await onBoth(step);
    expect(native.length).toBe(own.length);
    // Biases before batch norm have no gradient but noise: relative to the largest of all gradients.
    const most = own
      .slice(2)
      .flat()
      .reduce((high, value) => Math.max(high, Math.abs(value)), 0);
    for (const [k, expected] of own.entries())
      expect(relativeError([native[k]], [expected], k < 2 ? undefined : most)).toBeLessThan(TOLERANCE);
  });
});

describe("a training", () => {
  test("ends close to one by wasm, and its record has the backend", async () => {
    const folder = mkdtempSync(join(tmpdir(), "deephash-native-"));
    const blobs = { classes: 4, perClass: 40, dim: 96, noise: 1.2 };
    const [data, split] = [join(folder, "features.arrow"), join(folder, "split.arrow")];
    writeBlobs(data, blobs);
    writeBlobSplit(split, blobs);
    const train = async (backend: string) => {
      const params = {
        network: { use: "mlp", hidden: [128], dropout: 0.2 },
        loss: { use: "facenet", margin: 0.5 },
        selector: "semihard-negative",
        sampler: { use: "balanced", classes: 4, images: 16 },
        dim: 8,
        steps: 60,
        evaluate_every: 20,
        backend,
      };
      const { outputs, notes } = await runStage("train", { params, inputs: { data, split } });
      const history = readTable(outputs.history, "history");
      return { notes, maps: [...numbers<Float32Array>(history, "validation_map")] };
    };
    const wasm = await train("wasm");
    const kernel = tf.getKernel("BatchMatMul", "wasm");
    const own = kernel.kernelFunc;
    const native = await train("native");
    kernel.kernelFunc = own;
    expect([wasm.notes.backend, native.notes.backend]).toEqual(["wasm", "native"]);
    expect(native.maps.at(-1)).toBeGreaterThan(native.maps[0] - 0.01);
    for (const [k, map] of wasm.maps.entries()) expect(Math.abs(native.maps[k] - map)).toBeLessThan(0.02);
  });
});
