/** Backbones as trainable networks: against onnxruntime, their gradients against tfjs-backend-cpu. */
import * as tf from "@tensorflow/tfjs-core";
import * as layersOf from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { startNative } from "../../../../stages/shared/compute/native.ts";
import { InferenceSession, Tensor } from "../../../../stages/shared/compute/onnxruntime.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { encodeModel, type Model } from "../../../../stages/shared/onnx/model.ts";
import { EMBEDDING, exportTrained, modelAfter } from "../../../../stages/shared/trainable/export.ts";
import { importTrainable } from "../../../../stages/shared/trainable/import.ts";
import { TrainableLayer } from "../../../../stages/shared/trainable/layer.ts";
import { runTrainable } from "../../../../stages/shared/trainable/run.ts";
import type { Trainable } from "../../../../stages/shared/trainable/steps.ts";
import { registerTrainingKernels } from "../../../../stages/train/engine/kernels.ts";
import mlp from "../../../../stages/train/networks/mlp.ts";
import { Network, smallAliases, smallMobileNet, smallResNet } from "./networks.ts";

const SIZE = 32;
const COUNT = 3;

const images = (size = SIZE) => {
  const draw = random(2, "images");
  return Float32Array.from({ length: COUNT * 3 * size * size }, () => draw.normal());
};

/** The values of tensors of a model, `[shape, values]` each. */
async function computed(model: Model, names: string[], data: Float32Array, shape: number[], input = "data") {
  // Without shapes: onnxruntime then infers them.
  const output = names.map((name) => ({ name, type: { tensorType: { elemType: 1 } } }));
  const graph = { ...model.graph, output };
  const session = await InferenceSession.create(encodeModel({ ...model, graph }), { logSeverityLevel: 4 });
  const found = await session.run({ [input]: new Tensor("float32", data, shape) });
  return names.map((name) => ({ shape: [...found[name].dims], values: found[name].data as Float32Array }));
}

const weightsOf = ({ weights }: Trainable) => weights.map(({ values, shape }) => tf.tensor(values, shape));

/** Runs a network on values as ONNX has them. */
const run = (network: Trainable, { shape, values }: { shape: number[]; values: Float32Array }) =>
  tf.tidy(() => {
    const x = tf.tensor(values, shape);
    return runTrainable(network, shape.length === 4 ? tf.transpose(x, [0, 2, 3, 1]) : x, weightsOf(network));
  });

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

const start = (backend: string) => (backend === "native" ? startNative(0) : startBackend(backend as never));

describe.each([
  ["MobileNetV2", smallMobileNet, ["data", "stem", "thin", "block"]],
  ["ResNet", smallResNet, ["data", "stem", "layer1", "layer2"]],
  ["aliases and batch norm of vectors", smallAliases, ["data", "stem", "sum"]],
])("%s", (_, make, layers) => {
  describe.each(["wasm", "native", "cpu"])("on %s", (backend) => {
    beforeAll(async () => void (await start(backend)));

    test.each(layers)("gives onnxruntime's features from %s on", async (layer) => {
      const model = make();
      const shape = [COUNT, 3, SIZE, SIZE];
      const names = layer === "data" ? ["features"] : ["features", layer];
      const [wanted, entering] = await computed(model, names, images(), shape);
      const network = importTrainable(model, layer, "features", "test.onnx");
      const y = run(network, entering ?? { shape, values: images() });
      expect(y.shape).toEqual(wanted.shape);
      expect(largest(y.dataSync(), wanted.values)).toBeLessThan(1e-4);
    });
  });

  test.each(["wasm", "native"])("has the gradients of tfjs-backend-cpu on %s", async (backend) => {
    const network = importTrainable(make(), "data", "features", "test.onnx");
    const gradients = async (name: string) => {
      await start(name);
      registerTrainingKernels();
      return tf.tidy(() => {
        const x = tf.tensor(images(), [COUNT, SIZE, SIZE, 3]);
        const draw = random(3, "slopes");
        const loss = (...weights: tf.Tensor[]) => {
          const y = runTrainable(network, x, weights);
          const slopes = Float32Array.from({ length: y.size }, () => draw.normal());
          return tf.sum(tf.mul(y, tf.tensor(slopes, y.shape))) as tf.Scalar;
        };
        return tf
          .grads(loss)(weightsOf(network))
          .map((one) => one.dataSync() as Float32Array);
      });
    };
    const [wanted, found] = [await gradients("cpu"), await gradients(backend)];
    for (const [at, { name, trainable }] of network.weights.entries()) {
      if (!trainable) continue;
      const scale = Math.max(...wanted[at].map(Math.abs));
      expect(scale, name).toBeGreaterThan(0);
      expect(largest(found[at], wanted[at]) / scale, name).toBeLessThan(1e-4);
    }
  });

  test.each([
    "data",
    layers[2],
  ])("comes back as ONNX with its weights from %s on, and a head", async (layer) => {
    await start("wasm");
    const model = make();
    const shape = [COUNT, 3, SIZE, SIZE];
    const [entering] =
      layer === "data" ? [{ shape, values: images() }] : await computed(model, [layer], images(), shape);
    const network = importTrainable(model, layer, "features", "test.onnx");
    const length = run(network, entering).shape[1] as number;
    const tail = new TrainableLayer(network, true, length);
    const x = layersOf.input({ shape: entering.shape.slice(1) });
    const head = mlp.build({
      ...{ input: [length], dim: 5, seed: 1, random: random(1, "dropout") },
      params: { hidden: [7], dropout: 0 },
    }).model;
    const whole = layersOf.model({
      inputs: x,
      outputs: head.apply(tail.apply(x) as layersOf.SymbolicTensor) as layersOf.SymbolicTensor,
    });
    // Other weights than it was read with: as a training leaves them.
    const draw = random(5, "weights");
    whole.setWeights(whole.getWeights().map((weight) => tf.add(weight, tf.mul(weight, 0.1 * draw.float()))));
    const wanted = (whole.predict(tf.tensor(entering.values, entering.shape)) as tf.Tensor).dataSync();
    const values = tail.variables().map((weight) => weight.dataSync() as Float32Array);
    const written = await exportTrained(model, network, values, { model: head, dim: 5 }, false);
    const [fromImages] = await computed(written, [EMBEDDING], images(), shape);
    expect(fromImages.shape).toEqual([COUNT, 5]);
    expect(largest(fromImages.values, wanted)).toBeLessThan(1e-4);
    if (layer === "data") return;
    const after = modelAfter(written, layer, entering.shape.slice(1));
    const [fromLayer] = await computed(after, [EMBEDDING], entering.values, entering.shape, layer);
    expect(largest(fromLayer.values, wanted)).toBeLessThan(1e-4);
    const normalised = await exportTrained(model, network, values, { model: head, dim: 5 }, true);
    const [{ values: rows }] = await computed(normalised, [EMBEDDING], images(), shape);
    expect(Math.hypot(...rows.subarray(0, 5))).toBeCloseTo(1, 5);
  });
});

test("on native, the gradients are the same to the last bit on any number of threads", async () => {
  const draw = random(1, "wide");
  const net = new Network();
  const even = [1, 1, 1, 1];
  // Wide enough that onnxruntime shares the work out.
  let x = net.relu6(net.conv("data", 3, 64, { kernel: 3, stride: 2, pads: [0, 0, 1, 1] }));
  x = net.relu6(net.conv(x, 64, 256));
  x = net.relu6(net.conv(x, 256, 256, { kernel: 3, group: 256, pads: even }));
  x = net.relu6(net.conv(net.conv(x, 256, 96), 96, 192, { kernel: 3, stride: 2, pads: even }));
  const network = importTrainable(
    net.model(net.add("GlobalAveragePool", [x]), 192),
    "data",
    "features",
    "a.onnx",
  );
  const values = Float32Array.from({ length: 8 * SIZE * SIZE * 3 }, () => draw.normal());
  const gradients = async (threads: number) => {
    await startNative(0, threads);
    registerTrainingKernels();
    return tf.tidy(() => {
      const x = tf.tensor(values, [8, SIZE, SIZE, 3]);
      const loss = (...weights: tf.Tensor[]) =>
        tf.mean(tf.square(runTrainable(network, x, weights))) as tf.Scalar;
      return tf
        .grads(loss)(weightsOf(network))
        .map((one) => one.dataSync().slice());
    });
  };
  const alone = await gradients(1);
  for (const threads of [2, 3]) expect(await gradients(threads)).toEqual(alone);
});

describe("a backbone that cannot be trained from there is refused in one line", () => {
  const refused =
    (model: Model, from: string, to = "features") =>
    () =>
      importTrainable(model, from, to, "a.onnx");
  test("a tensor that is not there, with the nearest that is", () => {
    expect(refused(smallMobileNet(), "blocks")).toThrow(
      'a.onnx: holds no tensor "blocks" to train from. Did you mean "block"?',
    );
  });
  test("a tensor that a shortcut goes around", () => {
    expect(refused(smallMobileNet(), "inside")).toThrow(
      /^a\.onnx: the network goes on beside the tensor "inside", too, .* is "thin"\.$/,
    );
  });
  test("nothing to train", () => {
    expect(refused(smallMobileNet(), "features")).toThrow('nothing is between "features" and "features"');
  });
  test("an operator without a gradient", () => {
    const net = new Network();
    const x = net.add("Softmax", [net.conv("data", 3, 4)], {}, "odd");
    expect(refused(net.model(net.add("GlobalAveragePool", [x]), 4), "data")).toThrow(
      /the operator Softmax \(tensor "odd"\) cannot be trained through: .*Conv, .*Sum\.$/,
    );
  });
  test("another file", () => {
    expect(refused(smallResNet(), "data", "gap")).toThrow('a.onnx: holds no tensor "gap". Is it the file');
  });
});
