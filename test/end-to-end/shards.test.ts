/** Shards of a folder of pictures, from their downloads to one evaluation. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { readSplit } from "../../stages/shared/artifacts/split.ts";
import { readVectors } from "../../stages/shared/artifacts/vectors.ts";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { runStage } from "../run-stage.ts";
import { colourNetwork } from "../stages/extract/onnx-model.ts";
import { scratch } from "../stages/shared/scratch.ts";

const folder = scratch();
const CLASSES = ["blue", "green", "red"];
const PICTURES = 6; // of each class, in each shard, for training and for tests

/** A folder of pictures whose channel of their class is bright. */
async function drawShard(root: string): Promise<string> {
  const draw = random(1, root);
  for (const split of ["train", "test"])
    for (const [label, name] of CLASSES.entries()) {
      mkdirSync(join(root, split, name), { recursive: true });
      for (let i = 0; i < PICTURES; i++) {
        const bytes = Uint8Array.from(
          { length: 8 * 8 * 3 },
          (_, at) => (at % 3 === label ? 180 : 40) + draw.int(60),
        );
        await sharp(bytes, { raw: { width: 8, height: 8, channels: 3 } })
          .png()
          .toFile(join(root, split, name, `${i}.png`));
      }
    }
  return root;
}

test("shards of one data set are split, joined and evaluated as one", { timeout: 60_000 }, async () => {
  await startBackend("wasm");
  const model = colourNetwork(join(folder, "colours.onnx"));
  const shards = ["shard-0", "shard-1"];
  const downloads = await Promise.all(
    shards.map(async (shard, at) => {
      const files = await drawShard(join(folder, shard));
      const dataset = { use: "folder", size: 8 };
      const first = at * CLASSES.length * PICTURES * 2;
      return runStage("download", { params: { dataset, first }, inputs: { files } });
    }),
  );
  const sources = (paths: string[]) => paths.map((path, at) => ({ path, id: shards[at] }));
  const images = downloads.map(({ outputs }) => outputs.images);
  const { split } = (
    await runStage("split", {
      params: { protocol: "official", validation: 6 },
      inputs: { images: sources(images) },
    })
  ).outputs;
  const params = { backbone: { use: "file", name: "colours" }, size: 32, device: "cpu" };
  const features = [];
  for (const own of images)
    features.push((await runStage("extract", { params, inputs: { images: own, model } })).outputs.features);
  const { vectors } = (
    await runStage("join", { params: { how: "append" }, inputs: { vectors: sources(features) } })
  ).outputs;

  const [joined, roles] = [readVectors(vectors), readSplit(split)];
  expect(joined.rows).toBe(shards.length * CLASSES.length * PICTURES * 2);
  expect(joined.ids).toEqual(Uint32Array.from({ length: joined.rows }, (_, row) => row));
  expect(roles.ids).toEqual(joined.ids);
  expect(roles.query.reduce((sum, flag) => sum + flag, 0)).toBe(joined.rows / 2);
  const { outputs } = await runStage("evaluate", { inputs: { vectors, split } });
  const { metrics } = JSON.parse(readFileSync(outputs.metrics, "utf8"));
  expect(metrics.map.value).toBeGreaterThan(0.99);

  // Numbered from 0 each, the shards would be one image under two pictures.
  const again = await runStage("download", {
    params: { dataset: { use: "folder", size: 8 } },
    inputs: { files: join(folder, "shard-1") },
  });
  await expect(
    runStage("split", { inputs: { images: sources([images[0], again.outputs.images]) } }),
  ).rejects.toThrow(
    'split: image 0 of shard-1 is there before. Number the images of each shard apart: download takes "first"',
  );
});
