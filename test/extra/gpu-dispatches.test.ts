/**
 * How many shaders a training step on WebGPU starts: on a large GPU their number is what a step takes. Sizes are those of
 * `bench/gpu.ts`, for which kernel runs depends on them.
 */
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { writeMobileNetV2 } from "../../bench/networks.ts";
import type { PartDefinition } from "../../runner/stage.ts";
import mobilenetv2 from "../../stages/shared/backbones/mobilenetv2.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { startNamed } from "../../stages/shared/compute/start.ts";
import { INPUT } from "../../stages/shared/trainable/cut.ts";
import { buildTuned } from "../../stages/train/backbone.ts";
import { stepper } from "../../stages/train/loop/step.ts";
import facenet from "../../stages/train/losses/facenet.ts";
import type { Network, NetworkDefinition } from "../../stages/train/network.ts";
import embeddingNet from "../../stages/train/networks/embedding-net.ts";
import linear from "../../stages/train/networks/linear.ts";
import mlp from "../../stages/train/networks/mlp.ts";
import batchHard from "../../stages/train/selectors/batch-hard.ts";
import { scratch } from "../stages/shared/scratch.ts";
import { type Counts, putCountingGpu } from "./counting-gpu.ts";

const [DIM, CLASSES] = [64, 10];
const folder = scratch();

const defaults = (part: PartDefinition) =>
  Object.fromEntries(Object.entries(part.params ?? {}).map(([name, { default: value }]) => [name, value]));
const networkOf = (part: NetworkDefinition, input: number[], params: object = {}): Network =>
  part.build({
    ...{ input, dim: DIM, seed: 1, random: random(1, "dropout") },
    params: { ...defaults(part), ...params },
  });

const mobilenet = (size: number): Network => {
  const path = join(folder, "mobilenetv2.onnx");
  const features = writeMobileNetV2(path);
  const tuning = { backbone: { ...mobilenetv2, name: "mobilenetv2", features }, from: INPUT, size };
  return buildTuned(tuning, path, { shape: [size, size, 3] }, (input) => networkOf(linear, input), DIM);
};

let gpu: ReturnType<typeof putCountingGpu>;
beforeAll(async () => {
  gpu = putCountingGpu();
  await startNamed("webgpu", "test");
});

/** The calls of the third step. @param shape of a batch */
async function countStep(network: Network, shape: number[], optimizer: "adam" | "sgd"): Promise<Counts> {
  const params = defaults(facenet);
  const loss = facenet.start({
    ...{ dim: DIM, classes: CLASSES, params, random: random(1, "loss") },
    selector: { part: batchHard, params: defaults(batchHard), random: random(1, "selector") },
  });
  const { doStep } = await stepper({
    ...{ network, normalise: true, loss, lossParams: params, optimizer, weightDecay: 0.01, clip: 1 },
    learningRate: network.backbone ? { head: 2e-3, backbone: 3e-4 } : 1e-3,
  });
  const [images] = shape;
  const batch = {
    values: new Float32Array(shape.reduce((product, length) => product * length)),
    shape,
    labels: Int32Array.from({ length: images }, (_, row) => row % CLASSES),
    given: { images: Int32Array.from({ length: images }, (_, row) => row) },
  };
  for (let step = 0; step < 2; step++) await doStep(batch, 0);
  gpu.take();
  await doStep(batch, 0);
  return gpu.take();
}

it.each<[string, () => Network, number[], "adam" | "sgd", number]>([
  ["the whole MobileNetV2", () => mobilenet(128), [100, 128, 128, 3], "adam", 380],
  ["the whole MobileNetV2, sgd", () => mobilenet(128), [100, 128, 128, 3], "sgd", 380],
  ["embedding-net", () => networkOf(embeddingNet, [32, 32, 3]), [100, 32, 32, 3], "adam", 66],
  ["a head", () => networkOf(mlp, [1280], { hidden: [512], dropout: 0.5 }), [250, 1280], "adam", 60],
])("a step of %s starts few shaders, and reads once", async (name, build, shape, optimizer, most) => {
  const counts = await countStep(build(), shape, optimizer);
  console.log(`${name}: ${JSON.stringify(counts)}`);
  expect(counts.dispatches).toBeLessThanOrEqual(most);
  expect(counts.dispatches).toBeGreaterThan(most / 3);
  expect(counts.reads).toBe(1);
  expect(counts.uploads).toBeLessThanOrEqual(13);
  expect(counts.submits).toBeLessThanOrEqual(2 + most / 32);
});

it("a command that the GPU refused ends the training", async () => {
  const x = tf.ones([2000]);
  expect(await tf.add(x, x).data()).toHaveLength(2000);
  gpu.refuse("Invalid CommandBuffer\n - While calling Submit");
  await expect(tf.add(x, x).data()).rejects.toThrow(
    "the GPU refused a command, so that its values are wrong: Invalid CommandBuffer",
  );
});
