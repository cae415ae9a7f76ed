/** Lists whose labels leave nothing to learn or to find: from the lists, through the reader, to one line. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../runner/stage.ts";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import { runStage } from "../run-stage.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { scratch } from "../stages/shared/scratch.ts";

const [TRAINING, QUERIES, SEARCHED] = [16, 4, 8];
const IMAGES = TRAINING + QUERIES + SEARCHED;
const root = scratch();
const model = join(scratch(), "tiny.onnx");

beforeAll(async () => {
  await startBackend("wasm");
  mkdirSync(join(root, "pictures"));
  for (let i = 0; i < IMAGES; i++)
    await sharp({
      create: { width: 8, height: 8, channels: 3, background: { r: i % 2 ? 200 : 40, g: 4 * i, b: 9 } },
    })
      .png()
      .toFile(join(root, `pictures/${i}.png`));
  // Three features: the means of the channels.
  const kernel = new Float32Array(3 * 27);
  for (let f = 0; f < 3; f++) kernel.fill(0.1, f * 27 + f * 9, f * 27 + (f + 1) * 9);
  writeFileSync(model, tinyNetwork({ kernel, bias: new Float32Array(3).fill(0.9), filters: 3 }));
});

/** Features and split of lists in which image i has the labels `labelsOf(i)` of `width`. */
async function read(labelsOf: (image: number) => number[], width: number) {
  const line = (i: number) => {
    const own = labelsOf(i);
    return [`pictures/${i}.png`, ...Array.from({ length: width }, (_, l) => Number(own.includes(l)))].join(
      " ",
    );
  };
  const lines = Array.from({ length: IMAGES }, (_, i) => line(i));
  writeFileSync(join(root, "train.txt"), lines.slice(0, TRAINING).join("\n"));
  writeFileSync(join(root, "test.txt"), lines.slice(TRAINING, TRAINING + QUERIES).join("\n"));
  writeFileSync(join(root, "database.txt"), lines.slice(TRAINING + QUERIES).join("\n"));
  const dataset = { use: "lists", size: 8 };
  const { images } = (await runStage("download", { params: { dataset }, inputs: { files: root } })).outputs;
  const splitting = { protocol: "lists", validation: 4, seed: 1 };
  const { split } = (await runStage("split", { params: splitting, inputs: { images } })).outputs;
  const extracting = { backbone: { use: "file", name: "tiny" }, size: 32, device: "cpu" };
  const { features } = (await runStage("extract", { params: extracting, inputs: { images, model } })).outputs;
  return { features, split };
}
type Read = Awaited<ReturnType<typeof read>>;

const train = ({ features, split }: Read, loss = "dpsh") =>
  runStage("train", {
    params: { network: "linear", loss, sampler: "shuffled", dim: 8, steps: 2, evaluate_every: 2, seed: 1 },
    inputs: { data: features, split },
  });
const evaluate = ({ features, split }: Read, params: Record<string, unknown> = {}) =>
  runStage("evaluate", { params, inputs: { vectors: features, split } });
async function told(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).not.toContain("\n");
  return error.message;
}

describe("lists in which", () => {
  it.each([
    ["one label is on every image, beside others", (i: number) => (i % 2 ? [0, 1] : [0, 2])],
    ["each image has the same label alone", () => [1]],
  ])("%s are refused: all are similar", async (_, labelsOf) => {
    const given = await read(labelsOf, 3);
    expect(await told(train(given))).toMatch(/^train: every two training images share a label/);
    expect(await told(evaluate(given))).toMatch(/^evaluate: every query shares a label with every image/);
  });

  it.each([
    ["labels of its own, two an image", (i: number) => [2 * i, 2 * i + 1]],
    ["a label of its own", (i: number) => [i]],
  ])("each image has %s: none are similar", async (_, labelsOf) => {
    const given = await read(labelsOf, 2 * IMAGES);
    if (labelsOf(0).length > 1)
      expect(await told(train(given))).toMatch(/^train: no two training images share a label/);
    expect(await told(evaluate(given))).toMatch(
      /^evaluate: no query shares a label with one of the 8 images/,
    );
  });

  it("k is beyond the images searched", async () => {
    const given = await read((i) => (i % 3 ? [0] : [1, 2]), 3);
    for (const param of ["at", "map_at", "graded_at"])
      expect(await told(evaluate(given, { [param]: [SEARCHED + 1] }))).toBe(
        `evaluate: ${param} asks for the first 9 images, but only 8 are searched. Take 8 or fewer.`,
      );
    await evaluate(given, { at: [SEARCHED], graded_at: [SEARCHED] });
  });

  it("there are more than 64 labels: those beyond count as any", async () => {
    const given = await read((i) => (i % 2 ? [65, 80] : [0, 64]), 81);
    for (const loss of ["dpsh", "csq", "softmax", "greedyhash", "orthohash"]) await train(given, loss);
    const { outputs } = await evaluate(given);
    const { metrics } = JSON.parse(readFileSync(outputs.metrics, "utf8"));
    // Half of those searched share both labels with a query: the gain of any of the first 8 is 1 on average.
    expect(metrics["acg@100"].value).toBe(1);
    expect(metrics.wap.value).toBeGreaterThan(0.9);
  });
});
