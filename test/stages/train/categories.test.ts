/** Categories of classes, from a list of images to the batches of a training. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, it } from "vitest";
import { numbers, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { categoriesOf, splitCategories } from "../../../stages/shared/artifacts/categories.ts";
import { readSplit } from "../../../stages/shared/artifacts/split.ts";
import { writeVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";

const CLASSES = ["cat", "cow", "dog", "hen"];
const CATEGORIES = ["pets", "farm", "pets", "farm"];
const IMAGES = 40;
const root = scratch();

beforeAll(async () => {
  for (let i = 0; i < IMAGES; i++)
    await sharp({ create: { width: 4, height: 4, channels: 3, background: { r: 6 * i, g: 9, b: 9 } } })
      .png()
      .toFile(join(root, `${i}.png`));
});

/** Vectors and split of images of four classes. */
async function read(column: string, categoryOf: (label: number) => string) {
  const rows = Array.from({ length: IMAGES }, (_, i) => {
    const label = i % CLASSES.length;
    return `${i}.png,${CLASSES[label]},${i < 32 ? "train" : "test"}${categoryOf(label)}`;
  });
  writeFileSync(join(root, "images.csv"), [`path,label,split${column}`, ...rows].join("\n"));
  const { images } = (
    await runStage("download", { params: { dataset: { use: "csv", size: 4 } }, inputs: { files: root } })
  ).outputs;
  const params = { protocol: "official", validation: 8, seed: 1 };
  const { split } = (await runStage("split", { params, inputs: { images } })).outputs;
  const data = join(scratch(), "vectors.arrow");
  const { ids, labels } = readSplit(split);
  const vector = Float32Array.from({ length: 2 * IMAGES }, (_, at) => Math.sin(at) + (at % 8));
  writeVectors(data, { ids, labels, vector, dim: 2 }, { classes: CLASSES });
  return { data, split };
}
const train = (inputs: Record<string, string>, sampler: object | string, extra: object = {}) =>
  runStage("train", {
    params: { network: "linear", loss: "supcon", dim: 4, steps: 3, evaluate_every: 3, sampler, ...extra },
    inputs,
  });

it("carries the categories of a list to the samplers, on training and validation images", async () => {
  const inputs = await read(",category", (label) => `,${CATEGORIES[label]}`);
  expect(splitCategories(inputs.split)).toEqual({ categories: CATEGORIES });
  expect([...categoriesOf(Uint16Array.of(3, 0, 2, 1), CATEGORIES)]).toEqual([1, 0, 0, 1]);
  for (const use of ["category", "hierarchical"]) {
    const { outputs } = await train(inputs, { use, classes: 2, images: 2 }, { validation_loss: true });
    const history = readTable(outputs.history, "history");
    expect([...numbers<Float64Array>(history, "images")]).toEqual([3 * 8]); // 2 categories x 2 classes x 2 images
    expect(Number.isFinite(numbers<Float32Array>(history, "validation_loss")[0])).toBe(true);
  }
});

it("refuses a sampler by category where classes have none, whose split is as before", async () => {
  const inputs = await read("", () => "");
  expect(splitCategories(inputs.split)).toEqual({});
  expect([...readTable(inputs.split, "split").schema.metadata.keys()]).not.toContain("categories");
  await expect(train(inputs, "category")).rejects.toThrow(
    /^train: the sampler "category" draws by category, but the classes of .*split\.arrow have none\. Take a data set/,
  );
});

it("tells such a sampler why a column of a list gives no categories", async () => {
  const inputs = await read(",category", (label) => (label === 2 ? "," : ",pets"));
  await expect(train(inputs, "category")).rejects.toThrow(
    /^train: the sampler "category" draws by category, but the classes of .*split\.arrow have none \(images\.csv:4: 2\.png has no category\)\. Take/,
  );
  await train(inputs, { use: "balanced", classes: 2, images: 4 });
});
