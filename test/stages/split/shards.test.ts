import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSplit } from "../../../stages/shared/artifacts/split.ts";
import { runStage } from "../../run-stage.ts";
import { type TestImage, writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";

const folder = scratch();
const CLASSES = ["cat", "dog"];

/** Images of both classes by turns, numbered from `first` on; the last quarter is published as test images. */
const imagesOf = (first: number, count = 40): TestImage[] =>
  Array.from({ length: count }, (_, i) => ({
    id: first + i,
    split: i < (3 * count) / 4 ? "train" : "test",
    label: i % 2,
    pixels: [first % 251, i],
  }));
let tables = 0;
function shard(images: TestImage[], given: { classes?: string[]; width?: number } = {}) {
  const { classes = CLASSES, width = 2 } = given;
  const id = `shard ${tables++}`;
  return { path: writeImages(join(folder, `${id}.arrow`), images, { classes, width }), id };
}
const split = async (...images: { path: string; id: string }[]) => {
  const { outputs } = await runStage("split", {
    params: { protocol: "official", validation: 10 },
    inputs: { images },
  });
  return readSplit(outputs.split);
};

test("shards have the roles that one table of them has", async () => {
  const [first, second] = [imagesOf(0), imagesOf(1000)];
  expect(await split(shard(first), shard(second))).toEqual(await split(shard([...first, ...second])));
});

test("images of one label, beside a shard with several", async () => {
  const several = imagesOf(1000).map((image) => ({ ...image, labels: image.label ? [1] : [0, 1] }));
  const { sets, ids } = await split(shard(imagesOf(0)), shard(several));
  expect([...sets!]).toEqual([...Array(20).fill([1, 2]), ...Array(20).fill([3, 2])].flat());
  expect(ids).toHaveLength(80);
});

describe("refused", () => {
  test.each<[string, () => { path: string; id: string }, string]>([
    ["an image in two shards", () => shard(imagesOf(39)), "image 39 of shard \\d+ is there before"],
    [
      "other classes",
      () => shard(imagesOf(1000), { classes: ["cat", "cow"] }),
      'has other classes than the first input: it has no class "dog"',
    ],
    [
      "images of another size",
      () =>
        shard(
          imagesOf(1000).map((image) => ({ ...image, pixels: [1, 2, 3] })),
          { width: 3 },
        ),
      "have 1 x 3 x 1 values, those of the first input 1 x 2 x 1",
    ],
  ])("%s", async (_, other, message) => {
    await expect(split(shard(imagesOf(0)), other())).rejects.toThrow(new RegExp(message));
  });
});
