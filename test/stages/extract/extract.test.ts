import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { narrow, widen } from "../../../stages/shared/artifacts/half.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { IMAGENET } from "../../../stages/shared/backbone.ts";
import { InferenceSession, Tensor } from "../../../stages/shared/compute/onnxruntime.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { outputOf } from "../../../stages/shared/onnx/outline.ts";
import { Resizer } from "../../../stages/shared/pixels/resize.ts";
import { runStage } from "../../run-stage.ts";
import { type TestImage, writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";
import { model, node, type Tiny, tinyFeatures, tinyNetwork, value, weight } from "./onnx-model.ts";

const folder = scratch();
const SIDE = 8;
const SIZE = 32;
const FILTERS = 5;
const COUNT = 11;
const IDS = Array.from({ length: COUNT }, (_, i) => 100 * i + 7);

const draw = random(1, "extract test");
const tiny: Tiny = {
  kernel: Float32Array.from({ length: FILTERS * 27 }, () => draw.normal() / 5),
  bias: Float32Array.from({ length: FILTERS }, () => draw.normal() / 5),
  filters: FILTERS,
};
const pixelsOf = (index: number) => {
  const own = random(index, "pixels");
  return Array.from({ length: SIDE * SIDE * 3 }, () => own.int(256));
};
const images: TestImage[] = IDS.map((id, index) => ({
  id,
  split: "train",
  label: index % 2,
  pixels: pixelsOf(index),
}));
const shape = { height: SIDE, width: SIDE, channels: 3, classes: ["a", "b"], batch: 4 };
let imageFile: string;
let modelFile: string;
const save = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
beforeAll(() => {
  imageFile = writeImages(join(folder, "images.arrow"), images, shape);
  modelFile = save("tiny.onnx", tinyNetwork(tiny));
});

const extract = (params: Record<string, unknown> = {}, model = modelFile, file = imageFile) =>
  runStage("extract", {
    params: { backbone: "resnet18", size: SIZE, device: "cpu", ...params },
    inputs: { images: file, model },
  });
const featuresOf = async (...run: Parameters<typeof extract>) =>
  readVectors((await extract(...run)).outputs.features);
const fault = async (...run: Parameters<typeof extract>): Promise<string> => {
  const error = await extract(...run).then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).not.toContain("\n");
  return error.message;
};

/** The input of the network for an image. */
function planesOf(pixels: ArrayLike<number>): Float32Array {
  const resizer = new Resizer({ height: SIDE, width: SIDE, channels: 3 }, SIZE, IMAGENET, 1);
  return resizer.fill(0, Uint8Array.from(pixels), 1);
}

describe("extract", () => {
  it("gives the features that a plain computation gives", async () => {
    const { values, ids, labels, dim, rows } = await featuresOf();
    expect([rows, dim]).toEqual([COUNT, FILTERS]);
    expect([...ids]).toEqual(IDS);
    expect([...labels]).toEqual(images.map(({ label }) => label));
    // Half of the last place of a half, and float32's own rounding.
    for (const [row, { pixels }] of images.entries())
      for (const [i, wanted] of tinyFeatures(tiny, planesOf(pixels), SIZE).entries())
        expect(Math.abs(values[row * dim + i] - wanted)).toBeLessThan(
          Math.abs(wanted) * (2 ** -11 + 1e-5) + 1e-7,
        );
  });

  it("takes any file, described by params", async () => {
    const given = { use: "file", name: "my-net" };
    const same = await extract({ backbone: given });
    expect([...readVectors(same.outputs.features).values]).toEqual([...(await featuresOf()).values]);
    expect(readVectors(same.outputs.features).metadata.backbone).toBe("my-net");
    const scaling = { mean: [0.1, 0.2, 0.3], std: [1, 0.5, 2] };
    const { values, dim } = await featuresOf({
      backbone: { ...given, ...scaling, features: "flat", batch: 3 },
    });
    const planes = new Resizer({ height: SIDE, width: SIDE, channels: 3 }, SIZE, scaling as never, 1);
    for (const [i, wanted] of tinyFeatures(
      tiny,
      planes.fill(0, Uint8Array.from(images[0].pixels), 1),
      SIZE,
    ).entries())
      expect(Math.abs(values[i] - wanted)).toBeLessThan(Math.abs(wanted) * (2 ** -11 + 1e-5) + 1e-7);
    expect(values.length / dim).toBe(COUNT);
    expect(await fault({ backbone: { ...given, multiple_of: 24 } })).toContain(
      "size 32 does not fit my-net: it takes multiples of 24",
    );
    expect(await fault({ backbone: { ...given, features: "none" } })).toContain('holds no tensor "none"');
    expect(await fault({ backbone: { ...given, pooling: "cls" } })).toContain(
      "no tokens that could be pooled",
    );
  });

  it("keeps what the network gives as float16, rounded to nearest", async () => {
    const { values, dim } = await featuresOf();
    const session = await InferenceSession.create(Buffer.concat([tinyNetwork(tiny), outputOf("flat")]));
    for (const [row, { pixels }] of images.entries()) {
      const input = new Tensor("float32", planesOf(pixels), [1, 3, SIZE, SIZE]);
      const { flat } = await session.run({ data: input }, ["flat"]);
      expect([...values.subarray(row * dim, (row + 1) * dim)]).toEqual([
        ...widen(narrow(flat.data as Float32Array)),
      ]);
    }
    await session.release();
  });

  it("gives the same features for any batch size", async () => {
    const { values } = await featuresOf({ batch: 1 });
    for (const batch of [2, 3, 4, 32]) expect([...(await featuresOf({ batch })).values]).toEqual([...values]);
  });

  it("gives the same bytes twice, and says in the table what made them", async () => {
    const [first, second] = [(await extract()).outputs.features, (await extract()).outputs.features];
    const tables = [first, second].map((path) => readTable(path, "vectors"));
    expect(readVectors(first)).toEqual(readVectors(second));
    expect(Object.fromEntries(tables[0].schema.metadata)).toEqual({
      classes: '["a","b"]',
      dataset: "test",
      backbone: "resnet18",
      size: "32",
      flip: "false",
    });
  });

  it("takes the mean over the image and its mirror image when asked to flip", async () => {
    const mirrored = images.map((image) => ({
      ...image,
      pixels: Array.from({ length: SIDE }, (_, y) =>
        Array.from({ length: SIDE }, (_, x) => {
          const at = (y * SIDE + SIDE - 1 - x) * 3;
          return Array.from(image.pixels).slice(at, at + 3);
        }),
      ).flat(2),
    }));
    const other = writeImages(join(folder, "mirrored.arrow"), mirrored, shape);
    const [straight, turned, both] = [
      await featuresOf(),
      await featuresOf({}, modelFile, other),
      await featuresOf({ flip: true }),
    ];
    expect([...straight.values]).not.toEqual([...turned.values]);
    for (const [i, got] of both.values.entries())
      expect(got).toBeCloseTo((straight.values[i] + turned.values[i]) / 2, 2);
  });

  it("takes the tensor that the backbone names, output or not", async () => {
    // resnet18-layer3 names its features; here they are the pooled maps, which are no output of the file.
    const named = model({
      nodes: [
        node("GlobalAveragePool", ["data"], ["layer3_features"]),
        node("Relu", ["layer3_features"], ["out"]),
      ],
      weights: [],
      inputs: [value("data", ["N", 3, "H", "W"])],
      outputs: [value("out", ["N", 3, 1, 1])],
    });
    const { outputs, notes } = await extract({ backbone: "resnet18-layer3" }, save("named.onnx", named));
    const { values, dim } = readVectors(outputs.features);
    expect([dim, notes.feature_tensor]).toEqual([3, "layer3_features"]);
    for (const [row, { pixels }] of images.entries())
      for (const channel of [0, 1, 2]) {
        const plane = planesOf(pixels).subarray(channel * SIZE * SIZE, (channel + 1) * SIZE * SIZE);
        const mean = plane.reduce((sum, one) => sum + one, 0) / plane.length;
        expect(values[3 * row + channel]).toBeCloseTo(mean, 2);
      }
    expect(await fault({ backbone: "resnet18-layer3" })).toMatch(
      /tiny\.onnx holds no tensor "layer3_features". Is it the file of resnet18-layer3\?/,
    );
  });

  it("takes one image at a time where the file takes no more", async () => {
    const three = writeImages(join(folder, "three.arrow"), images.slice(0, 3), shape);
    const single = save("single.onnx", tinyNetwork(tiny, [1, 3, 224, 224], [value("scores", [1, 2])]));
    const { values, rows } = await featuresOf({ backbone: "vgg16", size: 224 }, single, three);
    expect(rows).toBe(3);
    const open = await featuresOf({ size: 224 }, modelFile, three);
    for (const [i, got] of values.entries()) expect(got).toBeCloseTo(open.values[i], 2);
  });

  it("treats grey images as colour images without colour", async () => {
    const grey = images.map((image) => ({
      ...image,
      pixels: Array.from({ length: SIDE * SIDE }, (_, i) => image.pixels[3 * i]),
    }));
    const colour = grey.map((image) => ({
      ...image,
      pixels: image.pixels.flatMap((one) => [one, one, one]),
    }));
    const files = [grey, colour].map((list, i) =>
      writeImages(join(folder, `grey-${i}.arrow`), list, { ...shape, channels: i ? 3 : 1 }),
    );
    const [one, three] = [
      await featuresOf({}, modelFile, files[0]),
      await featuresOf({}, modelFile, files[1]),
    ];
    expect([...one.values]).toEqual([...three.values]);
  });
});

describe("extract refuses", () => {
  it("a size that does not fit the backbone", async () => {
    expect(await fault({ size: 40 })).toBe(
      "extract: size 40 does not fit resnet18: it takes multiples of 32.",
    );
  });

  it("an input shape that the file does not take", async () => {
    const fixed = save("fixed.onnx", tinyNetwork(tiny, ["N", 3, 64, 64]));
    expect(await fault({}, fixed)).toMatch(/^resnet18 does not take \[4, 3, 32, 32\]: .*Choose another/);
  });

  it("a feature that is not a number, or too large for float16, and names the image", async () => {
    const broken = { ...tiny, kernel: tiny.kernel.map(() => Number.NaN) };
    expect(await fault({}, save("nan.onnx", tinyNetwork(broken)))).toMatch(
      /^extract: image 7 has the feature NaN, which is not finite or too large/,
    );
    // Only a white image is bright enough.
    const large = {
      kernel: new Float32Array(27 * FILTERS).fill(1500),
      bias: new Float32Array(FILTERS),
      filters: FILTERS,
    };
    const dark = images.map((image, i) => ({
      ...image,
      pixels: image.pixels.length ? Array(SIDE * SIDE * 3).fill(i === 6 ? 255 : 0) : [],
    }));
    const file = writeImages(join(folder, "bright.arrow"), dark, shape);
    expect(await fault({}, save("large.onnx", tinyNetwork(large)), file)).toMatch(
      /^extract: image 607 has the feature \d+(\.\d+)?, which is not finite or too large/,
    );
  });

  it("features that are 0, or the same for different images, and names them", async () => {
    const of = (kernel: number, bias: number) => ({
      kernel: new Float32Array(27 * FILTERS).fill(kernel),
      bias: new Float32Array(FILTERS).fill(bias),
      filters: FILTERS,
    });
    expect(await fault({}, save("zeros.onnx", tinyNetwork(of(0, -1))))).toBe(
      "extract: images 7 and 107 differ, but all 5 features of both are 0. Is resnet18 the right network for this file?",
    );
    const constant = save("constant.onnx", tinyNetwork(of(0, 1)));
    for (const batch of [1, 4, 32])
      expect(await fault({ batch }, constant)).toBe(
        "extract: images 7 and 107 differ, but they and those beside them have the same features. Is resnet18 the right network for this file?",
      );
    // Of images that are all the same nothing else is to be expected.
    const same = writeImages(
      join(folder, "same.arrow"),
      images.map((one) => ({ ...one, pixels: images[0].pixels })),
      shape,
    );
    expect((await featuresOf({}, constant, same)).rows).toBe(COUNT);
  });

  it("a file that is no network, or another kind of one", async () => {
    expect(await fault({}, save("text.onnx", Buffer.from("<html></html>")))).toContain("text.onnx");
    const two = model({
      nodes: [node("Add", ["a", "b"], ["sum"]), node("MatMul", ["sum", "w"], ["out"])],
      weights: [weight("w", [2, 1], new Float32Array(2))],
      inputs: [value("a", ["N", 2]), value("b", ["N", 2])],
      outputs: [value("out", ["N", 1])],
    });
    expect(await fault({}, save("two.onnx", two))).toBe(
      "resnet18 has 2 inputs (a, b), but a backbone takes one.",
    );
    const unknown = model({
      nodes: [node("NoSuchOperator", ["data"], ["x"]), node("MatMul", ["x", "w"], ["out"])],
      weights: [weight("w", [2, 1], new Float32Array(2))],
      inputs: [value("data", ["N", 2])],
      outputs: [value("out", ["N", 1])],
    });
    expect(await fault({}, save("unknown.onnx", unknown))).toMatch(
      /onnxruntime cannot open .*unknown\.onnx on cpu/,
    );
  });

  it("features of another type, or not one row an image", async () => {
    const pooled = (nodes: Uint8Array[]) =>
      model({
        nodes: [node("GlobalAveragePool", ["data"], ["pooled"]), ...nodes],
        weights: [],
        inputs: [value("data", ["N", 3, "H", "W"])],
        outputs: [value("pooled", ["N", 3, 1, 1])],
      });
    const half = pooled([node("Cast", ["pooled"], ["layer3_features"], { to: 10 })]);
    expect(await fault({ backbone: "resnet18-layer3" }, save("half.onnx", half))).toMatch(
      /gives float16\[4, 3, 1, 1\] for 4 images, but float32\[4, …\] is wanted/,
    );
    const turned = pooled([node("Transpose", ["pooled"], ["layer3_features"], { perm: [1, 0, 2, 3] })]);
    expect(await fault({ backbone: "resnet18-layer3" }, save("turned.onnx", turned))).toContain(
      "gives float32[3, 4, 1, 1] for 4 images",
    );
  });

  it("a table without images, or with pixels of another size", async () => {
    const none = writeImages(join(folder, "none.arrow"), [], shape);
    expect(await fault({}, modelFile, none)).toMatch(/none\.arrow: holds no images/);
    const other = writeImages(join(folder, "other.arrow"), images, shape);
    expect(await fault({}, modelFile, other.replace("other", "tiny").replace("arrow", "onnx"))).toContain(
      "not an Arrow file",
    );
  });

  it("to go on when the run is cancelled", async () => {
    const cancelled = new AbortController();
    cancelled.abort();
    const run = runStage("extract", {
      params: { backbone: "resnet18", size: SIZE, device: "cpu" },
      inputs: { images: imageFile, model: modelFile },
      signal: cancelled.signal,
    });
    await expect(run).rejects.toThrow(/abort/i);
  });
});

describe("the device", () => {
  it("is said and noted", async () => {
    const { notes, log, root } = await extract();
    expect(readdirSync(root)).toEqual(["features.arrow"]); // and nothing else is left behind
    expect(notes).toMatchObject({
      device: "cpu",
      device_reason: "cpu was asked for",
      feature_tensor: "flat",
    });
    expect(notes.images_per_second).toBeGreaterThan(0);
    expect(log).toEqual(["device cpu (cpu was asked for)"]);
  });

  it("is the first that works, and the others are named with their reasons", async () => {
    const { notes, log } = await extract({ device: "auto" });
    const order = ["cuda", "webgpu", "cpu"];
    const taken = order.indexOf(notes.device as string);
    expect(taken).toBeGreaterThanOrEqual(0);
    for (const better of order.slice(0, taken))
      expect(notes.device_reason).toMatch(new RegExp(`${better}: \\S`));
    expect(log).toEqual([`device ${notes.device} (${notes.device_reason})`]);
    expect(notes.device_reason).not.toMatch(/\/onnxruntime_src|SIG/);
    // A device that was asked for must work: no other is taken in silence.
    for (const device of ["cuda", "webgpu"])
      if (new RegExp(`${device}: (no |Failed)`).test(String(notes.device_reason)))
        expect(await fault({ device })).toMatch(`device ${device} does not work here: `);
  });
});
