/** The convolution net trains from pixels on WebAssembly, and is the same after it was saved. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { loadHead, saveHead } from "../../../stages/shared/artifacts/head.ts";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { variablesOf } from "../../../stages/shared/compute/variables.ts";
import contrastive from "../../../stages/train/losses/contrastive.ts";
import embeddingNet from "../../../stages/train/networks/embedding-net.ts";
import allPositive from "../../../stages/train/selectors/all-positive.ts";
import { start } from "./helpers.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

const build = (input: number[], dim: number, seed = 1) =>
  embeddingNet.build({ input, dim, params: {}, seed, random: random(seed, "dropout") });

/** Noise with a bright bar at a place of the class's own. */
function images(count: number, [height, width, channels]: number[]): { x: tf.Tensor4D; labels: Int32Array } {
  const stream = random(5, "images");
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const pixels = Float32Array.from({ length: count * height * width * channels }, (_, at) => {
    const image = Math.floor(at / (height * width * channels));
    const row = Math.floor(at / (width * channels)) % height;
    return 0.3 * stream.normal() + (Math.floor(row / 6) === labels[image] + 1 ? 1 : 0);
  });
  return { x: tf.tensor4d(pixels, [count, height, width, channels]), labels };
}

test.each([
  [[28, 28, 1], 2, 832 + 51_264 + 96 + (1024 + 1 + 1) * 256 + (256 + 1 + 1) * 256 + 257 * 2],
  [[32, 32, 3], 48, 2432 + 51_264 + 96 + (1600 + 1 + 1) * 256 + (256 + 1 + 1) * 256 + 257 * 48],
] as [
  number[],
  number,
  number,
][])("%j to %i dimensions: the weights of siamese-triplet's net", (input, dim, count) => {
  const { model, train } = build(input, dim);
  expect(model.countParams()).toBe(count);
  const { x } = images(2, input);
  const used = model.predict(x) as tf.Tensor;
  expect(used.shape).toEqual([2, dim]);
  expect(Array.from(train(x).dataSync())).toEqual(Array.from(used.dataSync()));
});

test("learns to tell bars apart, with the same weights every time", () => {
  const learn = () => {
    const { model, train } = build([28, 28, 1], 2);
    const { x, labels } = images(18, [28, 28, 1]);
    const run = start(contrastive, 2, { selector: allPositive, selectorParams: { balanced: false } });
    const variables = variablesOf(model.trainableWeights);
    const optimizer = tf.train.adam(1e-3);
    const losses = Array.from({ length: 12 }, () =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => run.loss(train(x), labels, { margin: 1 }), variables);
        for (const variable of variables) expect(grads[variable.name].shape).toEqual(variable.shape);
        optimizer.applyGradients(grads as never);
        return value.dataSync()[0];
      }),
    );
    return { losses, weights: model.getWeights().map((w) => Array.from(w.dataSync())) };
  };
  const first = learn();
  expect(first.losses[11]).toBeLessThan(0.3 * first.losses[0]);
  expect(learn()).toEqual(first);
});

test("is the same after it was saved and read", async () => {
  const { model } = build([28, 28, 1], 3);
  const folder = mkdtempSync(join(tmpdir(), "deephash-net-"));
  const { x } = images(4, [28, 28, 1]);
  const before = Array.from((model.predict(x) as tf.Tensor).dataSync());
  await saveHead(folder, model, {
    network: "embedding-net",
    loss: "contrastive",
    selector: "all-positive",
    input: [28, 28, 1],
    dim: 3,
    normalise: false,
    step: 0,
    validation_map: 0,
    classes: ["a", "b", "c"],
  });
  const { model: read } = await loadHead(folder);
  expect(Array.from((read.predict(x) as tf.Tensor).dataSync())).toEqual(before);
});
