/** The bytes of a saved model do not depend on the models that its process made before. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { loadHead, saveHead } from "../../../../stages/shared/artifacts/head.ts";
import { renumbered } from "../../../../stages/shared/artifacts/layer-names.ts";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { scratch } from "../scratch.ts";

beforeAll(async () => {
  await startBackend();
});

const folder = scratch();
const head = {
  ...{ network: "mine", loss: "facenet", selector: null, input: [3], dim: 2, normalise: true },
  ...{ step: 1, validation_map: 0.5, classes: ["a", "b"] },
};

/** A network whose layers have names of all sorts, with a model in it. */
function network(): layers.LayersModel {
  const inner = layers.sequential({
    layers: [layers.layers.dense({ units: 4, inputShape: [5], kernelInitializer: "ones" })],
  });
  const input = layers.input({ shape: [3] });
  const chosen = layers.layers.dense({ units: 5, name: "dense_7", kernelInitializer: "ones" });
  const given = layers.layers.dense({ units: 2, kernelInitializer: "ones" });
  const output = given.apply(inner.apply(chosen.apply(input))) as layers.SymbolicTensor;
  return layers.model({ inputs: input, outputs: output });
}

async function saved(name: string): Promise<{ folder: string; text: string; model: layers.LayersModel }> {
  const path = join(folder, name);
  mkdirSync(path);
  const model = network();
  await saveHead(path, model, head);
  return { folder: path, text: readFileSync(join(path, "model.json"), "utf8"), model };
}

it("gives the first and a later model of a process the same bytes, and both load", async () => {
  const first = await saved("first");
  layers.input({ shape: [2] });
  const later = await saved("later");
  expect(later.model.name).not.toBe(first.model.name);
  expect(later.text).toBe(first.text);
  expect(later.text).toContain('"dense_7"');
  const x = tf.tensor2d([[1, 2, 3]]);
  const loaded = await loadHead(later.folder);
  const values = (model: layers.LayersModel) => Array.from((model.predict(x) as tf.Tensor).dataSync());
  expect(values(loaded.model)).toEqual(values(later.model));
});

it("counts each kind in its order, and leaves names that somebody chose", () => {
  const topology = {
    name: "model4",
    layers: [
      { name: "input9", inbound: [] },
      { name: "dense_Dense12", inbound: [["input9", 0]] },
      { name: "dense_Dense3", inbound: [["dense_Dense12", 0]] },
      { name: "conv_2", inbound: [["dense_Dense3", 0]], note: "model4" },
      { name: "batch_normalization_BatchNormalization5", inbound: [["conv_2", 0]] },
      { name: "block12", inbound: [] },
    ],
  };
  const { topology: counted, weights } = renumbered(topology, [
    "dense_Dense12/kernel",
    "conv_2/bias",
    "block12/x/y",
  ]);
  expect(counted).toEqual({
    name: "model1",
    layers: [
      { name: "input1", inbound: [] },
      { name: "dense_Dense2", inbound: [["input1", 0]] },
      { name: "dense_Dense1", inbound: [["dense_Dense2", 0]] },
      { name: "conv_2", inbound: [["dense_Dense1", 0]], note: "model1" },
      { name: "batch_normalization_BatchNormalization1", inbound: [["conv_2", 0]] },
      { name: "block12", inbound: [] },
    ],
  });
  expect(weights).toEqual(["dense_Dense2/kernel", "conv_2/bias", "block12/x/y"]);
});
