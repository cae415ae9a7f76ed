/** The encoder of an index as one ONNX file: it gives what the encoder gives, in every runtime. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import * as web from "onnxruntime-web";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { Encoder } from "../../search/encoder.ts";
import { pooled } from "../../search/export/onnx/backbone.ts";
import { compare } from "../../search/export/onnx/compare.ts";
import { encoderModel, INPUT, OUTPUTS } from "../../search/export/onnx/encoder.ts";
import { type Index, openIndex } from "../../search/opened.ts";
import { normaliseRows } from "../../stages/shared/artifacts/head.ts";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import { InferenceSession, Tensor } from "../../stages/shared/compute/onnxruntime.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { pool } from "../../stages/shared/inference/pooling.ts";
import { modelOf, valueInfoOf } from "../../stages/shared/onnx/build.ts";
import { Builder } from "../../stages/shared/onnx/builder.ts";
import { normalised, runHead } from "../../stages/shared/onnx/head.ts";
import { encodeModel, readModel } from "../../stages/shared/onnx/model.ts";
import { FILES } from "../../stages/shared/search-index.ts";
import { makeWorld, type World } from "./world.ts";

const BITS = 6;
const COUNT = 40;

let world: World;
let index: Index;
const out: string[] = [];
const err: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(COUNT, BITS);
  index = await openIndex(world.index);
  await startBackend("wasm");
});
afterEach(() => {
  out.splice(0);
  err.splice(0);
});
const run = (...args: string[]) => main(["export", ...args], world.folder, world.folder);

/** The output of a graph for rows of numbers. */
async function ran(
  rows: Float32Array,
  dims: number[],
  build: (graph: Builder) => string | Promise<string>,
): Promise<Float32Array> {
  const graph = new Builder();
  const y = await build(graph);
  const model = modelOf({
    name: "test",
    node: graph.node,
    initializer: graph.initializer,
    input: [valueInfoOf("x", ["count", ...dims.slice(1)])],
    output: [valueInfoOf(y, [])],
  });
  delete model.graph.output[0].type!.tensorType!.shape;
  const session = await InferenceSession.create(encodeModel(model));
  return (await session.run({ x: new Tensor("float32", rows, dims) }))[y].data as Float32Array;
}

describe("the command", () => {
  test.each([
    "bytes",
    "pixels",
  ])("writes an encoder that takes %s, and tells how it differs", async (form) => {
    const file = `${form}.onnx`;
    expect(await run("--index", world.index, "--out", file, "--input", form)).toBe(0);
    expect(out).toEqual([
      expect.stringMatching(
        new RegExp(
          `${file}: an encoder of \\S+ KB; on ${COUNT} images .* by at most (0|\\d\\S*e-\\d+), and 0 of 240 bits differ$`,
        ),
      ),
    ]);
    const { metadataProps, graph } = readModel(world.at(file));
    const said = Object.fromEntries(metadataProps!.map(({ key, value }) => [key, value]));
    expect(said["deephash.encoder"]).toBe(index.recipe.encoder);
    expect(JSON.parse(said["deephash.classes"])).toEqual(["cat", "dog"]);
    expect(JSON.parse(said["deephash.recipe"])).toMatchObject({
      input: form,
      bits: BITS,
      views: [{ size: 32, flip: true }, { size: 64 }],
    });
    expect(graph.output.map(({ name }) => name)).toEqual(Object.values(OUTPUTS));
    expect(graph.node.some(({ opType }) => opType === "Gemm")).toBe(false); // the classifier is left out
  });

  test("compares on noise where no image of the index is left, and on so many as it is told", async () => {
    const from = world.folder;
    await main(["index", "photos", "--like", world.index, "--out", "own"], from, from);
    expect(await run("--index", "own", "--out", "own.onnx", "--compare", "5")).toBe(0);
    expect(out.at(-1)).toContain("on 5 images");
    renameSync(world.at("photos"), world.at("gone"));
    expect(await run("--index", "own", "--out", "own.onnx", "--force")).toBe(0);
    renameSync(world.at("gone"), world.at("photos"));
    expect(out.at(-1)).toContain("on 16 images");
  });

  test("writes nothing where the file would give other embeddings", async () => {
    const spy = vi.spyOn(Builder.prototype, "number").mockImplementation(function (this: Builder, value) {
      return this.weights([], Float32Array.of(value === 0.5 ? 0.6 : value));
    });
    try {
      await expect(run("--index", world.index, "--out", "wrong.onnx")).rejects.toThrow(
        /differ by \d.*not written/,
      );
    } finally {
      spy.mockRestore();
    }
    expect(existsSync(world.at("wrong.onnx"))).toBe(false);
  });
});

test("a comparison counts the bits that differ", async () => {
  const encoder = await Encoder.open(index.files, index.recipe, 1);
  const path = await index.files.path(FILES.backbone);
  const { projection } = encoder;
  const turned = {
    ...projection,
    weights: projection.weights.map((value) => -value),
    offset: projection.offset.map((value) => -value),
  };
  const model = await encoderModel(
    { recipe: index.recipe, backbone: readModel(path), path, projection: turned },
    "bytes",
  );
  const found = await compare(encodeModel(model), "bytes", index, encoder, 10);
  expect(found).toEqual({ images: 10, embedding: expect.any(Number), bits: 10 * BITS });
  await encoder.close();
});

test("ONNX's own checker takes the file, where it is installed", async () => {
  await run("--index", world.index, "--out", "checked.onnx", "--force");
  const script = "import onnx, sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)";
  if (spawnSync("python3", ["-c", "import onnx"]).status !== 0) {
    process.stdout.write("skipped: python3 has no package onnx\n");
    return;
  }
  const { status, stderr } = spawnSync("python3", ["-c", script, world.at("checked.onnx")], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test("onnxruntime-web gives the same bits as the index", async () => {
  await run("--index", world.index, "--out", "web.onnx", "--force");
  web.env.wasm.numThreads = 1;
  const session = await web.InferenceSession.create(readFileSync(world.at("web.onnx")));
  const pixels = Uint8Array.from(world.images.flatMap(({ pixels: one }) => Array.from(one)));
  const results = await session.run({ [INPUT]: new web.Tensor("uint8", pixels, [COUNT, 32, 32, 3]) });
  const bits = results[OUTPUTS.bits].data as Uint8Array;
  const codes = index.codes.values;
  expect(
    Array.from({ length: COUNT }, (_, row) =>
      bits.subarray(row * BITS, (row + 1) * BITS).reduce((sum, bit, at) => sum | (bit << at), 0),
    ),
  ).toEqual([...codes]);
});

describe("a head", () => {
  const draw = random(1, "head");
  const x = Float32Array.from({ length: 5 * 12 }, () => draw.normal());

  /** A model of layers, with no weight left as it begins. */
  function modelOfLayers(chain: layers.layers.Layer[]): layers.LayersModel {
    const input = layers.input({ shape: [12] });
    const y = chain.reduce((h, layer) => layer.apply(h) as layers.SymbolicTensor, input);
    const model = layers.model({ inputs: input, outputs: y });
    model.setWeights(
      model.getWeights().map((weight) =>
        tf.tensor(
          Float32Array.from({ length: weight.size }, () => 0.2 + Math.abs(draw.normal())),
          weight.shape,
        ),
      ),
    );
    return model;
  }
  const { dense, batchNormalization, reLU, prelu, activation, dropout } = layers.layers;

  test.each<[string, () => layers.layers.Layer[]]>([
    ["mlp", () => [dense({ units: 8, useBias: false }), batchNormalization({}), reLU(), dense({ units: 4 })]],
    [
      "other norms",
      () => [batchNormalization({ scale: false }), batchNormalization({ center: false, epsilon: 0.1 })],
    ],
    [
      "activations",
      () => [
        dense({ units: 4, activation: "tanh" }),
        activation({ activation: "sigmoid" }),
        reLU({ maxValue: 0.5 }),
      ],
    ],
    ["prelu", () => [dense({ units: 4 }), prelu({}), dropout({ rate: 0.5 })]],
  ])("of %s gives what tfjs gives", async (_, chain) => {
    const model = modelOfLayers(chain());
    const given = await ran(x, [5, 12], (graph) => runHead(graph, model, "x"));
    const wanted = (model.predict(tf.tensor2d(x, [5, 12])) as tf.Tensor).dataSync();
    expect(given.length).toBe(wanted.length);
    for (const [i, value] of given.entries()) expect(value).toBeCloseTo(wanted[i], 4);
  });

  test("is normalised as embeddings are", async () => {
    const given = await ran(x, [5, 12], (graph) => normalised(graph, "x", 12));
    const wanted = normaliseRows(tf.tensor2d(x, [5, 12])).dataSync();
    for (const [i, value] of given.entries()) expect(value).toBeCloseTo(wanted[i], 6);
  });

  test("of a layer that is not written is refused by name", async () => {
    const model = modelOfLayers([
      layers.layers.dense({ units: 4, name: "out" }),
      layers.layers.softmax({ name: "odd" }),
    ]);
    await expect(runHead(new Builder(), model, "x")).rejects.toThrow(/the layer odd \(Softmax\)/);
  });
});

test.each(["cls", "mean", "both"] as const)("tokens are pooled by %s as the stage does", async (pooling) => {
  const draw = random(1, "tokens");
  const tokens = Float32Array.from({ length: 2 * 5 * 3 }, () => draw.normal());
  const given = await ran(tokens, [2, 5, 3], (graph) => pooled(graph, "x", pooling, 3, 13));
  const wanted = pool(tokens, [2, 5, 3], pooling, "test");
  expect(given.length).toBe(wanted.length);
  for (const [i, value] of given.entries()) expect(value).toBeCloseTo(wanted[i], 6);
});
