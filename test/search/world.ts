/** A small network, photos, and an index of them as the pipeline makes one: what tests of the search begin with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { writeSplit } from "../../stages/shared/artifacts/split.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { runStage } from "../run-stage.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { type TestImage, writeImages } from "../stages/shared/artifacts/image-table.ts";
import { scratch } from "../stages/shared/scratch.ts";

export const SIDE = 32;
/** Of the network. */
export const FILTERS = 8;
const CLASSES = ["cat", "dog"];

export interface World {
  folder: string;
  /** Joins names to the folder. */
  at(...names: string[]): string;
  images: TestImage[];
  /** The images as `photos/CLASS/ID.png`. */
  photos: string[];
  /** The index that the stages made, and what they made it of. */
  index: string;
  made: { images: string; model: string; vectors: string; projection: string; codes: string; split: string };
}

/** @param bits of a code: with few, many images share one */
export async function makeWorld(count: number, bits: number): Promise<World> {
  const folder = scratch();
  const at = (...names: string[]) => join(folder, ...names);
  const draw = random(1, "search test");
  const images = Array.from({ length: count }, (_, index) => {
    const [grain, shade] = [1 + draw.int(8), draw.int(200)];
    const pixels = Array.from(
      { length: SIDE * SIDE * 3 },
      (_, i) => (i < 96 ? (5 * index + i) % 256 : (shade + 40 * (Math.floor(i / grain) % 2)) % 256), // no two are the same
    );
    return { id: 5 * index, split: "train" as const, label: index % 2, pixels };
  });
  const shape = { height: SIDE, width: SIDE, channels: 3, classes: CLASSES };
  const table = writeImages(at("images.arrow"), images, shape);
  const kernel = Float32Array.from({ length: FILTERS * 27 }, () => draw.normal() / 5);
  writeFileSync(at("tiny.onnx"), tinyNetwork({ kernel, bias: new Float32Array(FILTERS), filters: FILTERS }));
  const flags = (test: (share: number) => boolean) =>
    Uint8Array.from({ length: count }, (_, row) => Number(test(row / count)));
  writeSplit(at("split.arrow"), {
    ids: Uint32Array.from(images, ({ id }) => id),
    labels: Uint16Array.from(images, ({ label }) => label),
    train: flags((share) => share < 0.6),
    validation: flags((share) => share >= 0.6 && share < 0.8),
    query: flags((share) => share >= 0.8),
    database: flags((share) => share < 0.8),
    protocol: "official",
    seed: 1,
  });
  const views: { path: string; id: string }[] = [];
  for (const [size, flip] of [
    [32, true],
    [64, false],
  ] as const) {
    const { outputs } = await runStage("extract", {
      params: { backbone: "resnet18", size, flip, device: "cpu" },
      inputs: { images: table, model: at("tiny.onnx") },
    });
    views.push({ path: outputs.features, id: String(size) });
  }
  const joined = await runStage("join", { params: { how: "mean" }, inputs: { vectors: views } });
  const encoded = await runStage("encode", {
    params: { binariser: "itq", bits },
    inputs: { vectors: joined.outputs.vectors, split: at("split.arrow") },
  });
  const made = {
    images: table,
    model: at("tiny.onnx"),
    vectors: joined.outputs.vectors,
    projection: encoded.outputs.projection,
    codes: encoded.outputs.codes,
    split: at("split.arrow"),
  };
  const index = await indexOf(made);
  const photos: string[] = [];
  for (const { id, label, pixels } of images) {
    const file = at("photos", CLASSES[label], `${id}.png`);
    mkdirSync(at("photos", CLASSES[label]), { recursive: true });
    await sharp(Uint8Array.from(pixels), { raw: { width: SIDE, height: SIDE, channels: 3 } }).toFile(file);
    photos.push(file);
  }
  return { folder, at, images, photos, index, made };
}

/** The index that the stage makes. */
export async function indexOf({ split: _, ...inputs }: World["made"]): Promise<string> {
  const params = { backbone: "resnet18", views: [{ size: 32, flip: true }, { size: 64 }] };
  return (await runStage("index", { params, inputs })).outputs.index;
}
