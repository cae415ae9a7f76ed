/** Views of frozen features: what extract writes, and what training draws from it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { readExamples } from "../../../stages/shared/artifacts/examples.ts";
import { readSplit } from "../../../stages/shared/artifacts/split.ts";
import { readVectors, writeVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import type { Recipe } from "../../../stages/shared/runs/recipe.ts";
import { openViews } from "../../../stages/train/views.ts";
import { runStage } from "../../run-stage.ts";
import { tinyNetwork } from "../extract/onnx-model.ts";
import { type TestImage, writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobSplit } from "../vectors.ts";

const folder = scratch();
const images = join(folder, "images.arrow");
const model = join(folder, "tiny.onnx");
const split = join(folder, "split.arrow");
const SIDE = 8;
const draw = random(1, "views test");
const table: TestImage[] = Array.from({ length: 40 }, (_, index) => ({
  id: 100 + index,
  split: "train",
  label: Math.floor(index / 20),
  pixels: Array.from({ length: SIDE * SIDE * 3 }, () => draw.int(256)),
}));
beforeAll(() => {
  writeImages(images, table, { height: SIDE, width: SIDE, channels: 3, classes: ["a", "b"], batch: 7 });
  const kernel = Float32Array.from({ length: 5 * 27 }, () => draw.normal() / 5);
  const bias = Float32Array.from({ length: 5 }, () => draw.normal() / 5);
  writeFileSync(model, tinyNetwork({ kernel, bias, filters: 5 }));
  writeBlobSplit(split, { classes: 2, perClass: 20, dim: 5, noise: 1 });
});
const VIEWS = { views: 3, augment: ["flip", { use: "crop", scale: [0.4, 0.9] }] };
const extract = async (params: object = VIEWS, inputs: object = {}) => {
  const { outputs } = await runStage("extract", {
    params: { backbone: "resnet18", size: 32, device: "cpu", batch: 4, ...params },
    inputs: { images, model, ...inputs },
  });
  return outputs.features;
};
/** The views of each image, in order. */
const byImage = (path: string) => {
  const { ids, values, dim } = readVectors(path);
  const found = new Map<number, string[]>();
  for (const [row, id] of ids.entries())
    found.set(id, [...(found.get(id) ?? []), values.slice(row * dim, (row + 1) * dim).join()]);
  return found;
};

describe("extract", () => {
  it("writes each image's views, the same for any batch size, others for another seed", async () => {
    const views = byImage(await extract());
    expect([...views.keys()].sort((a, b) => a - b)).toEqual(table.map(({ id }) => id));
    for (const own of views.values()) expect(new Set(own).size).toBe(3);
    expect(byImage(await extract({ ...VIEWS, batch: 32 }))).toEqual(views);
    expect(byImage(await extract({ ...VIEWS, seed: 2 }))).not.toEqual(views);
  });

  it("sees an image as train does: a view that changes nothing is the image", async () => {
    const plain = byImage(await extract({}));
    const same = byImage(await extract({ views: 2, augment: [{ use: "flip", chance: 0 }] }));
    for (const [id, [features]] of plain) expect(same.get(id)).toEqual([features, features]);
  });

  it("says in the table how the views were made", async () => {
    const about = readMetadata(readTable(await extract(), "vectors"));
    expect(about).toMatchObject({
      views: 3,
      seed: 1,
      augment: [{ use: "crop", scale: [0.4, 0.9] }, { use: "flip" }],
    });
    expect(readMetadata(readTable(await extract({}), "vectors"))).not.toHaveProperty("views");
  });

  it("takes the training images of a split alone", async () => {
    const { ids, train } = readSplit(split);
    const wanted = [...ids].filter((_, i) => train[i]);
    const views = byImage(await extract(VIEWS, { split }));
    expect([...views.keys()]).toEqual(wanted.sort((a, b) => a - b));
    const all = byImage(await extract({}));
    const some = byImage(await extract({}, { split }));
    for (const id of wanted) expect(some.get(id)).toEqual(all.get(id));
    expect(some.size).toBe(wanted.length);
  });

  it.each([
    [
      { views: 2 },
      "2 views of an image would be the same. Name what tells them apart, as augment: [flip, crop].",
    ],
    [
      { augment: ["flip"] },
      "augment changes random views. Say how many each image gets, as views: 16, or leave it out.",
    ],
    [
      { ...VIEWS, flip: true },
      "flip takes the mean over an image and its mirror image, and views are single. Take augment: [flip] in its place.",
    ],
  ])("refuses %j", async (params, message) =>
    expect(extract(params)).rejects.toThrow(new UserError(`extract: ${message}`)));
});

describe("train", () => {
  const train = (inputs: object, params: object = {}) =>
    runStage("train", {
      params: {
        network: { use: "mlp", hidden: [8], dropout: 0 },
        loss: "facenet",
        selector: "all",
        sampler: { use: "balanced", classes: 2, images: 4 },
        dim: 3,
        steps: 3,
        evaluate_every: 3,
        ...params,
      },
      inputs: { split, ...inputs },
    });

  it("draws all of an image's views, and each by itself", async () => {
    const [data, views] = [await extract({ flip: true }), await extract(VIEWS, { split })];
    const examples = readExamples(data, "features");
    const { ids, train: trains } = readSplit(split);
    const rows = Uint32Array.from(
      [...ids.keys()].filter((i) => trains[i]),
      (i) => examples.ids.indexOf(ids[i]),
    );
    const { take, about } = await openViews(views, examples, rows, random(1, "views"));
    const own = byImage(views);
    const seen = new Map<number, Set<string>>();
    for (let round = 0; round < 30; round++) {
      const values = take(rows);
      for (const [i, row] of rows.entries()) {
        const id = examples.ids[row];
        const view = values.slice(i * 5, (i + 1) * 5).join();
        expect(own.get(id)).toContain(view);
        seen.set(id, (seen.get(id) ?? new Set()).add(view));
      }
    }
    for (const views of seen.values()) expect(views.size).toBe(3);
    expect(about).toEqual({ views: 3, augment: expect.any(Array) });
    expect([...(await openViews(views, examples, rows, random(1, "views"))).take(rows)]).not.toEqual([
      ...(await openViews(views, examples, rows, random(2, "views"))).take(rows),
    ]);
  });

  it("trains on views, validates on the features, and tells of it", async () => {
    const data = await extract({});
    const [plain, viewed] = [await train({ data }), await train({ data, views: await extract() })];
    const made = (run: typeof plain) =>
      (readMetadata(readTable(run.outputs.history, "history")) as { made: Recipe }).made;
    expect(made(viewed).training).toMatchObject({ views: 3, augment: [{ use: "crop" }, { use: "flip" }] });
    expect(made(viewed).features).toEqual(made(plain).features);
    expect(made(plain).training).not.toHaveProperty("views");
    expect(readTable(viewed.outputs.history, "history").toString()).not.toBe(
      readTable(plain.outputs.history, "history").toString(),
    );
  });

  it("refuses views of other images or of another backbone, each in one line", async () => {
    const data = await extract({});
    const [other, few] = [join(folder, "other.arrow"), join(folder, "few.arrow")];
    const { ids, labels, classes } = readVectors(data);
    writeVectors(
      other,
      { ids, labels, vector: new Float32Array(ids.length * 2).fill(1), dim: 2 },
      { classes },
    );
    writeVectors(
      few,
      { ids: ids.slice(0, 1), labels: labels.slice(0, 1), vector: new Float32Array(5).fill(1), dim: 5 },
      { classes },
    );
    await expect(train({ data, views: other })).rejects.toThrow(
      new UserError(
        `${other}: views of 2 features, but the examples have 5. Take both from the same backbone.`,
      ),
    );
    await expect(train({ data, views: few })).rejects.toThrow(
      /few\.arrow: the training image \d+ has no view\. Give extract the same split as train, or none\.$/,
    );
    await expect(train({ data: images, views: other }, { network: "embedding-net" })).rejects.toThrow(
      /the input views has features, but the network takes images\. Name augment instead\.$/,
    );
  });
});
