/** Augmentations in a training: the training images alone, the same bytes by the same seed, and images alone. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { numbers, readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { readExamples, viewer } from "../../../stages/shared/artifacts/examples.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import type { Recipe } from "../../../stages/shared/runs/recipe.ts";
import { runStage } from "../../run-stage.ts";
import { type TestImage, writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const folder = scratch();
const SIDE = 16;
const blobs = { classes: 2, perClass: 20, dim: 4, noise: 1 };
const data = join(folder, "images.arrow");
const split = join(folder, "split.arrow");
beforeAll(() => {
  writeBlobs(join(folder, "features.arrow"), blobs);
  writeBlobSplit(split, blobs);
  const { ids, labels } = readExamples(join(folder, "features.arrow"), "features");
  const stream = random(1, "augment test");
  const images: TestImage[] = Array.from(ids, (id, row) => ({
    id,
    split: "train",
    label: labels[row],
    // A bright half, left or right: its mirror image is the other class's.
    pixels: Array.from({ length: SIDE * SIDE }, (_, i) =>
      Math.min(255, (Math.floor((2 * (i % SIDE)) / SIDE) === labels[row] ? 150 : 0) + stream.int(100)),
    ),
  }));
  writeImages(data, images, { height: SIDE, width: SIDE, channels: 1, classes: ["left", "right"] });
});

const train = (augment?: unknown[], params: object = {}, inputs: object = {}) =>
  runStage("train", {
    params: {
      network: "embedding-net",
      loss: { use: "facenet", margin: 0.5 },
      selector: "all",
      sampler: { use: "balanced", classes: 2, images: 4 },
      dim: 4,
      steps: 12,
      evaluate_every: 12,
      ...(augment && { augment }),
      ...params,
    },
    inputs: { data, split, ...inputs },
  });
const weightsOf = async (...run: Parameters<typeof train>) =>
  readFileSync(join((await train(...run)).outputs.model, "weights.bin")).toString("base64");

describe("augment", () => {
  it("gives the same bytes for the same seed and list, in any order, and others for another list", async () => {
    const plain = await weightsOf();
    const some = await weightsOf(["flip", { use: "shift", pixels: 2 }]);
    expect(await weightsOf([{ use: "shift", pixels: 2 }, "flip"])).toBe(some);
    expect(await weightsOf([{ use: "shift", pixels: 3 }, "flip"])).not.toBe(some);
    expect(some).not.toBe(plain);
    expect(await weightsOf([{ use: "flip", chance: 0 }])).toBe(
      await weightsOf([{ use: "shift", pixels: 0 }]),
    );
  });

  it("changes the training images alone: of mirror images the loss is small, and validation finds nothing", async () => {
    const history = async (chance: number) => {
      const { outputs } = await train([{ use: "flip", chance }], { steps: 60, evaluate_every: 60 });
      const table = readTable(outputs.history, "history");
      return ["loss", "validation_map"].map((name) => numbers<Float32Array>(table, name)[0]);
    };
    const [never, always] = [await history(0), await history(1)];
    expect(never[1]).toBeGreaterThan(0.95);
    expect(always[1]).toBeGreaterThan(0.95); // all are mirrored alike: the two classes are still two
    const [loss] = await history(0.5);
    expect(loss).toBeGreaterThan(3 * Math.max(never[0], always[0])); // nothing tells them apart
  });

  it("is part of what the history says of its origin", async () => {
    const { outputs } = await train(["flip"]);
    const { made } = readMetadata(readTable(outputs.history, "history")) as { made: Recipe };
    expect(made.training!.augment).toEqual([{ use: "flip", chance: 0.5 }]);
    const plain = await train();
    const about = readMetadata(readTable(plain.outputs.history, "history")) as { made: Recipe };
    expect(about.made.training).not.toHaveProperty("augment");
  });

  it("is refused for features, with what augments them", async () => {
    const features = { data: join(folder, "features.arrow") };
    await expect(train(["flip"], { network: "linear" }, features)).rejects.toThrow(
      new UserError(
        'train: the augmentation "flip" changes images, but the network "linear" takes features. Augment in extract, with its param views.',
      ),
    );
  });
});

describe("images that enter a network", () => {
  it("at their own size are the bytes in [-1, 1], seen or taken", () => {
    const { take, pixels, shape } = readExamples(data, "images");
    const taken = take([3, 1]);
    const seen = viewer(pixels!)([3, 1]);
    expect(shape).toEqual([SIDE, SIDE, 1]);
    for (const [i, value] of taken.entries()) expect(seen[i]).toBeCloseTo(value, 5);
  });

  it("at another size and scaling fill three channels, batch after batch", () => {
    const entry = { size: 24, mean: [0.4, 0.5, 0.6], std: [0.2, 0.2, 0.4] } as const;
    const { take, shape } = readExamples(data, "images", {
      ...entry,
      mean: [0.4, 0.5, 0.6],
      std: [0.2, 0.2, 0.4],
    });
    expect(shape).toEqual([24, 24, 3]);
    const first = take([0]).slice();
    expect(first).toHaveLength(24 * 24 * 3);
    const both = take([5, 0]);
    expect(both.subarray(first.length)).toEqual(first);
    for (let i = 0; i < first.length; i += 3) {
      const grey = first[i] * 0.2 + 0.4;
      expect(first[i + 1] * 0.2 + 0.5).toBeCloseTo(grey, 5);
      expect(first[i + 2] * 0.4 + 0.6).toBeCloseTo(grey, 5);
    }
  });
});
