/** A backbone that trains, whole and from a layer: extract, train, embed. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { Encoder } from "../../../search/encoder.ts";
import { exportEncoder } from "../../../search/export/onnx/export.ts";
import { openIndex } from "../../../search/opened.ts";
import { numbers, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { readHead } from "../../../stages/shared/artifacts/head.ts";
import { readPixels } from "../../../stages/shared/artifacts/images.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { encodeModel } from "../../../stages/shared/onnx/model.ts";
import { runStage } from "../../run-stage.ts";
import { type TestImage, writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";
import { smallMobileNet } from "../shared/trainable/networks.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const folder = scratch();
const SIDE = 8;
const blobs = { classes: 3, perClass: 20, dim: 4, noise: 1 };
const [data, split, model] = ["images.arrow", "split.arrow", "net.onnx"].map((name) => join(folder, name));
const backbone = { use: "file", name: "small", multiple_of: 8, features: "features" };
const SIZE = 24;

beforeAll(() => {
  writeBlobs(join(folder, "features.arrow"), blobs);
  writeBlobSplit(split, blobs);
  const { ids, labels } = readVectors(join(folder, "features.arrow"));
  const stream = random(1, "images");
  const images: TestImage[] = Array.from(ids, (id, row) => ({
    id,
    split: "train",
    label: labels[row],
    // Stripes, whose width is the class.
    pixels: Array.from({ length: SIDE * SIDE * 3 }, (_, i) =>
      Math.min(255, 120 * (Math.floor((i / 3) % SIDE) % (labels[row] + 2) > 0 ? 1 : 0) + stream.int(130)),
    ),
  }));
  writeImages(data, images, { height: SIDE, width: SIDE, channels: 3, classes: ["a", "b", "c"] });
  writeFileSync(model, encodeModel(smallMobileNet()));
});

/** Without undefined values. */
const given = <T>(values: Record<string, T | undefined>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Record<string, T>;

const train = (params: object = {}, inputs: object = {}, rest: object = {}) =>
  runStage("train", {
    ...rest,
    params: given({
      backbone,
      size: SIZE,
      network: "linear",
      loss: { use: "facenet", margin: 0.5 },
      selector: "all",
      sampler: { use: "balanced", classes: 3, images: 4 },
      dim: 4,
      steps: 30,
      evaluate_every: 15,
      learning_rate: 0.003,
      ...params,
    }),
    inputs: given({ data, split, model, ...inputs }),
  });
const extract = async (params: object = {}) =>
  (
    await runStage("extract", {
      params: { backbone, size: SIZE, device: "cpu", ...params },
      inputs: { images: data, model },
    })
  ).outputs.features;
const embed = async (path: string, from = data, params: Record<string, unknown> = {}) =>
  readVectors((await runStage("embed", { params, inputs: { data: from, model: path } })).outputs.embeddings);
const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
const fault = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).not.toContain("\n");
  return error.message;
};

describe("a backbone trains whole", () => {
  it("the loss falls; its embeddings come from one ONNX file", async () => {
    const { outputs } = await train({ augment: ["flip"] });
    const losses = [...numbers<Float32Array>(readTable(outputs.history, "history"), "loss")];
    expect(losses[1]).toBeLessThan(losses[0]);
    const head = readHead(outputs.model);
    expect(head).toMatchObject({
      input: [SIZE, SIZE, 3],
      backbone: { name: "small", from: "input", size: SIZE },
      made: { training: { backbone: { use: "file", name: "small" }, size: SIZE } },
    });
    const { values, rows, dim, ids } = await embed(outputs.model);
    expect([rows, dim]).toEqual([60, 4]);
    expect([...ids]).toEqual(Array.from(ids, (_, row) => 100 + row));
    for (let row = 0; row < rows; row++)
      expect(Math.hypot(...values.subarray(row * dim, (row + 1) * dim))).toBeCloseTo(1, 4);
    const both = await embed(outputs.model, data, { flip: true });
    expect(largest(both.values, values)).toBeGreaterThan(1e-3);
    expect(both.metadata.made).toMatchObject({ training: { flip: true } });
  });

  it("an index takes it as a backbone without a head, and so does the export", async () => {
    const { outputs } = await train({ steps: 6, evaluate_every: 6 });
    const { embeddings } = (await runStage("embed", { params: {}, inputs: { data, model: outputs.model } }))
      .outputs;
    const encode = await runStage("encode", {
      params: { binariser: "sign" },
      inputs: { vectors: embeddings, split },
    });
    const made = await runStage("index", {
      params: { backbone },
      inputs: {
        ...{ images: data, model, head: outputs.model, vectors: embeddings },
        ...{ projection: encode.outputs.projection, codes: encode.outputs.codes },
      },
    });
    const index = await openIndex(made.outputs.index);
    expect(index.recipe).toMatchObject({
      ...{ head: false, views: [{ size: SIZE, flip: false }] },
      backbone: { name: "small", features: "embedding" },
    });
    const { difference } = await exportEncoder(index, "bytes", 12);
    expect(difference.bits).toBe(0);
    const encoder = await Encoder.open(index.files, index.recipe, 1);
    let row = 0;
    const { values, dim } = readVectors(embeddings);
    for await (const { count, pixels } of readPixels(data, 10)) {
      const { embeddings: own } = await encoder.encode(pixels, count);
      expect(largest(own, values.subarray(row * dim, (row + count) * dim))).toBeLessThan(2e-3); // float16
      row += count;
    }
    await encoder.close();
  });

  it("on native the weights are close to those by wasm", async () => {
    const embeddings = async (backend: string) =>
      (await embed((await train({ backend, steps: 5, evaluate_every: 5 })).outputs.model)).values;
    expect(largest(await embeddings("wasm"), await embeddings("native"))).toBeLessThan(1e-2);
  });
});

describe("a backbone trains from a layer", () => {
  it("on the activations that extract writes; images and activations have the same embeddings", async () => {
    const features = await extract({ layer: "block" });
    const { metadata } = readVectors(features);
    expect(metadata).toMatchObject({ layer: "block", shape: [4, SIZE / 2, SIZE / 2], backbone: "small" });
    const { outputs } = await train({ from: "block" }, { data: features });
    expect(readHead(outputs.model)).toMatchObject({ input: metadata.shape, backbone: { from: "block" } });
    const [fromLayer, fromImages] = [await embed(outputs.model, features), await embed(outputs.model)];
    expect(largest(fromLayer.values, fromImages.values)).toBeLessThan(5e-3); // activations are float16
    expect(await fault(embed(outputs.model, features, { flip: true }))).toContain(
      "no mirror image of the layer",
    );
    const whole = await train({ from: "block" }, { data: features });
    expect(readFileSync(join(whole.outputs.model, "model.onnx"))).toEqual(
      readFileSync(join(outputs.model, "model.onnx")),
    );
  });
});

describe("a backbone that trains goes on from a checkpoint to the same bytes", () => {
  const rates = { learning_rate: { head: 0.01, backbone: { peak: 0.003 } }, weight_decay: 0.01, steps: 10 };
  const resumed = async (params: object, inputs: object) => {
    const checkpoint = { folder: join(scratch(), "key"), seconds: 3600 };
    const ending = new AbortController();
    const progress = (done: number) => done === 6 && ending.abort(new Error("ended"));
    const first = train(params, inputs, { checkpoint, progress, signal: ending.signal });
    await expect(first).rejects.toThrow("ended");
    const { outputs, log } = await train(params, inputs, { checkpoint });
    expect(log.join("\n")).toContain("goes on after step 6");
    return readFileSync(join(outputs.model, "model.onnx"));
  };
  const through = async (params: object, inputs: object) =>
    readFileSync(join((await train(params, inputs)).outputs.model, "model.onnx"));

  it("whole, on augmented images", async () => {
    const params = { ...rates, augment: ["flip", "crop"] };
    expect(await resumed(params, {})).toEqual(await through(params, {}));
    const other = { ...params, learning_rate: { head: 0.01, backbone: { peak: 0.001 } } };
    expect(await through(other, {})).not.toEqual(await through(params, {}));
  });

  it("from a layer, on random views of its activations", async () => {
    const params = { ...rates, from: "block" };
    const inputs = {
      data: await extract({ layer: "block" }),
      views: await extract({ layer: "block", views: 3, augment: ["flip"] }),
    };
    const bytes = await through(params, inputs);
    expect(await resumed(params, inputs)).toEqual(bytes);
    expect(await through(params, { data: inputs.data })).not.toEqual(bytes);
  });
});

describe("what does not fit together is refused", () => {
  it("each in one line that says what to do", async () => {
    const features = await extract();
    const layer = await extract({ layer: "block" });
    expect(await fault(train({}, { model: undefined }))).toContain(
      'its file is missing. Name it as the input "model"',
    );
    expect(await fault(train({ backbone: undefined }))).toContain('"size" is about a backbone that trains');
    expect(await fault(train({ network: "embedding-net" }))).toContain("linear or mlp");
    expect(await fault(train({ size: 20 }))).toContain("size 20 does not fit small: it takes multiples of 8");
    expect(await fault(train({ from: "thin" }, { data: layer }))).toContain('Extract with "layer: thin"');
    expect(await fault(train({ from: "block" }, { data: features }))).toContain("holds features of small");
    expect(await fault(train({ backbone: undefined, size: undefined }, { data: layer }))).toContain(
      'say "backbone: small" and "from: block"',
    );
    expect(await fault(extract({ layer: "block", flip: true }))).toContain('leave out "flip", or "layer"');
    expect(await fault(extract({ layer: "none" }))).toContain('holds no tensor "none"');
  });
});
