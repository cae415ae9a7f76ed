/** From a pipeline's stages to an index, and from an index to answers. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { build } from "../../search/build.ts";
import { main } from "../../search/cli.ts";
import { Encoder } from "../../search/encoder.ts";
import { search } from "../../search/search.ts";
import { readCodes } from "../../stages/shared/codes.ts";
import { random } from "../../stages/shared/random.ts";
import { FILES, readRecipe } from "../../stages/shared/searchable.ts";
import { writeSplit } from "../../stages/shared/splits.ts";
import { runStage } from "../run-stage.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { writeImages } from "../stages/shared/image-table.ts";
import { scratch } from "../stages/shared/scratch.ts";

const SIDE = 32;
const COUNT = 20;
const FILTERS = 8;
const folder = scratch();
const at = (...names: string[]) => join(folder, ...names);
const draw = random(1, "search test");
const images = Array.from({ length: COUNT }, (_, index) => {
  const [grain, shade] = [1 + draw.int(8), draw.int(200)];
  const pixels = Array.from(
    { length: SIDE * SIDE * 3 },
    (_, i) => (shade + 40 * (Math.floor(i / grain) % 2)) % 256,
  );
  return { id: 5 * index, split: "train" as const, label: index % 2, pixels };
});
let index: string;

/** What a command prints. */
const printed: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => printed.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => printed.push(line));
  const table = writeImages(at("images.arrow"), images, {
    height: SIDE,
    width: SIDE,
    channels: 3,
    classes: ["cat", "dog"],
  });
  writeFileSync(
    at("tiny.onnx"),
    tinyNetwork({
      kernel: Float32Array.from({ length: FILTERS * 27 }, () => draw.normal() / 5),
      bias: new Float32Array(FILTERS),
      filters: FILTERS,
    }),
  );
  const flags = (test: (row: number) => boolean) =>
    Uint8Array.from({ length: COUNT }, (_, row) => Number(test(row)));
  writeSplit(at("split.arrow"), {
    ids: Uint32Array.from(images, ({ id }) => id),
    labels: Uint16Array.from(images, ({ label }) => label),
    train: flags((row) => row < 12),
    validation: flags((row) => row >= 12 && row < 16),
    query: flags((row) => row >= 16),
    database: flags((row) => row < 16),
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
    params: { binariser: "itq", bits: 6 },
    inputs: { vectors: joined.outputs.vectors, split: at("split.arrow") },
  });
  const { projection, codes } = encoded.outputs;
  const made = await runStage("index", {
    params: { backbone: "resnet18", views: [{ size: 32, flip: true }, { size: 64 }] },
    inputs: { images: table, model: at("tiny.onnx"), projection, codes },
  });
  index = made.outputs.index;
  for (const { id, label, pixels } of images) {
    mkdirSync(at("photos", ["cat", "dog"][label]), { recursive: true });
    await sharp(Buffer.from(pixels), { raw: { width: SIDE, height: SIDE, channels: 3 } }).toFile(
      at("photos", ["cat", "dog"][label], `${id}.png`),
    );
  }
});
afterEach(() => printed.splice(0));

test("an image is encoded to the very bits that the pipeline made of it", async () => {
  const encoder = await Encoder.open(index, readRecipe(index), 1);
  const codes = readCodes(join(index, FILES.codes));
  const pixels = Uint8Array.from(images.slice(0, 7).flatMap(({ pixels }) => pixels));
  const encoded = await encoder.encode(pixels, 7);
  await encoder.close();
  expect(encoded).toEqual(codes.values.subarray(0, 7));
  expect(new Set(codes.values).size).toBeGreaterThan(3);
});

describe("search", () => {
  test("finds the image itself first, and says what the others are", async () => {
    await search(["photos/dog/5.png"], { index, top: 4, json: true }, folder, folder);
    const [{ query, nearest }] = JSON.parse(printed.join("\n"));
    expect(query).toBe(at("photos/dog/5.png"));
    expect(nearest).toHaveLength(4);
    const same = nearest.filter(({ distance }: { distance: number }) => distance === 0);
    expect(same).toContainEqual({ image: 5, class: "dog", distance: 0 });
    const distances = nearest.map(({ distance }: { distance: number }) => distance);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  });

  test("takes several images, and calls what it finds as the data set does", async () => {
    const names = Array.from({ length: 5 * COUNT }, (_, id) => `album/${id}.png`);
    const shape = { height: SIDE, width: SIDE, channels: 3, classes: ["cat", "dog"] };
    const { outputs } = await runStage("index", {
      params: { backbone: "resnet18", views: [{ size: 32, flip: true }, { size: 64 }] },
      inputs: {
        images: writeImages(at("named.arrow"), images, { ...shape, names, fit: "contain" }),
        model: at("tiny.onnx"),
        projection: join(index, FILES.projection),
        codes: join(index, FILES.codes),
      },
    });
    expect(readRecipe(outputs.index).image).toMatchObject({ height: SIDE, fit: "contain" });
    const asked = ["photos/dog/5.png", "photos/cat/0.png"];
    expect(await main(["search", ...asked, "--index", outputs.index, "--top", "20"], folder, folder)).toBe(0);
    for (const file of asked) expect(printed.join("\n")).toContain(`${at(file)} (`);
    expect(printed).toContain("    0  dog  album/5.png");
    await search([asked[0]], { index: outputs.index, top: 1, html: "named.html" }, folder, folder);
    expect(readFileSync(at("named.html"), "utf8").match(/data:image\/webp/g)).toHaveLength(2);
  });

  test("finds the index where a pipeline publishes it", async () => {
    cpSync(index, at("indexes/published/index"), { recursive: true });
    for (const given of [undefined, "indexes/published"])
      await search(["photos/dog/5.png"], { index: given, top: 1, json: true }, folder, folder);
    rmSync(at("indexes/published"), { recursive: true });
    expect(printed).toHaveLength(2);
    for (const line of printed) expect(JSON.parse(line)[0].nearest[0].distance).toBe(0);
  });

  test("writes a page of a whole folder's answers, and passes over what is no image", async () => {
    mkdirSync(at("mixed"), { recursive: true });
    writeFileSync(at("mixed", "broken.png"), "no image");
    writeFileSync(at("mixed", "whole.png"), readFileSync(at("photos/cat/0.png")));
    await search(["mixed"], { index, top: 2, html: "page.html" }, folder, folder);
    expect(printed.join("\n")).toMatch(/broken\.png: unreadable image .* passed over/);
    const page = readFileSync(at("page.html"), "utf8");
    expect(page.match(/data:image\/webp/g)).toHaveLength(3);
    await expect(search(["mixed/broken.png"], { index, top: 2 }, folder, folder)).rejects.toThrow(
      /unreadable image/,
    );
  });
});

describe("index", () => {
  test("takes another index's model for a person's own images", async () => {
    // By the folder that a pipeline publishes to: the index lies in it.
    await build("photos", { like: dirname(index), bits: 64, out: "mine" }, folder, folder);
    const [own, recipe] = [readRecipe(at("mine")), readRecipe(index)];
    expect(own).toMatchObject({ encoder: recipe.encoder, bits: 6, images: COUNT, classes: ["cat", "dog"] });
    await search(["photos/cat/10.png"], { index: "mine", top: 3, json: true }, folder, folder);
    const [{ nearest }] = JSON.parse(printed.slice(1).join("\n"));
    expect(nearest.map(({ image }: { image: string }) => image)).toContain(at("photos/cat/10.png"));
  });

  test("asks for what it needs in one line", async () => {
    const faults: [string[], RegExp][] = [
      [["index", "photos"], /name either --like INDEX.* or --backbone NAME/],
      [["index", "photos", "--backbone", "nothing"], /no backbone "nothing"/],
      [["index", "photos", "--backbone", "resnet18", "--bits", "0"], /--bits 0: .* from 1 to 512/],
      [["index", "photos", "--like", "photos"], /photos: no index \(index\.json is missing\)/],
      [["index", "nowhere", "--like", index], /nowhere: no such file or folder/],
      [["index", "photos", "--like", index, "--out", "mixed"], /mixed: there is something else/],
      [["search", "photos"], /no index yet in indexes\//],
      [["search", "photos/cat/0.png", "--index", "mixed"], /no index/],
    ];
    for (const [args, message] of faults) {
      printed.splice(0);
      expect(await main(args, folder, folder)).toBe(2);
      expect(printed).toHaveLength(1);
      expect(printed[0]).toMatch(message);
    }
    expect(readdirSync(at("indexes"))).toEqual([]); // nothing half made is left
  });

  test("refuses codes and a projection of two lengths", async () => {
    const other = await runStage("encode", {
      params: { binariser: "lsh", bits: 9 },
      inputs: { vectors: await features(), split: at("split.arrow") },
    });
    await expect(
      runStage("index", {
        params: { backbone: "resnet18" },
        inputs: {
          images: at("images.arrow"),
          model: at("tiny.onnx"),
          projection: other.outputs.projection,
          codes: join(index, FILES.codes),
        },
      }),
    ).rejects.toThrow(/codes have 6 bits, but the projection makes 9/);
  });
});

async function features(): Promise<string> {
  const { outputs } = await runStage("extract", {
    params: { backbone: "resnet18", size: 32, device: "cpu" },
    inputs: { images: at("images.arrow"), model: at("tiny.onnx") },
  });
  return outputs.features;
}
