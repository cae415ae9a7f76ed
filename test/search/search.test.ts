/** From a pipeline's stages to an index, and from an index to answers. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { Encoder } from "../../search/encoder.ts";
import { build } from "../../search/index/build.ts";
import { openIndex } from "../../search/opened.ts";
import { search } from "../../search/search.ts";
import { packSigns } from "../../stages/shared/artifacts/codes.ts";
import { readRecipe } from "../../stages/shared/search-index.ts";
import { runStage } from "../run-stage.ts";
import { writeImages } from "../stages/shared/artifacts/image-table.ts";
import { indexOf, makeWorld, SIDE, type World } from "./world.ts";

const COUNT = 20;
let world: World;
let folder: string;
let index: string;
let at: World["at"];

/** The output of a command. */
const printed: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => printed.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => printed.push(line));
  world = await makeWorld(COUNT, 6);
  ({ folder, index, at } = world);
});
afterEach(() => printed.splice(0));

test("an image is encoded to the very bits that the pipeline made of it", async () => {
  const { files, recipe, codes } = await openIndex(index);
  const encoder = await Encoder.open(files, recipe, 1);
  const pixels = Uint8Array.from(world.images.slice(0, 7).flatMap(({ pixels }) => Array.from(pixels)));
  const encoded = packSigns(await encoder.outputs(pixels, 7), codes.bits);
  await encoder.close();
  expect(encoded).toEqual(codes.values.subarray(0, 7));
  expect(new Set(codes.values).size).toBeGreaterThan(3);
});

describe("search", () => {
  test("finds the image itself first, and prints the classes of the others", async () => {
    await search(["photos/dog/5.png"], { index, top: 4, json: true }, folder, folder);
    const [{ query, nearest }] = JSON.parse(printed.join("\n"));
    expect(query).toBe(at("photos/dog/5.png"));
    expect(nearest).toHaveLength(4);
    expect(nearest[0]).toMatchObject({ image: 5, class: "dog", distance: 0, output_distance: 0, same: true });
    const distances = nearest.map(({ distance }: { distance: number }) => distance);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  });

  test("takes several images, and calls what it finds as the data set does", async () => {
    const names = Array.from({ length: 5 * COUNT }, (_, id) => `album/${id}.png`);
    const shape = { height: SIDE, width: SIDE, channels: 3, classes: ["cat", "dog"] };
    const table = writeImages(at("named.arrow"), world.images, { ...shape, names, fit: "contain" });
    const named = await indexOf({ ...world.made, images: table });
    expect(readRecipe(named).image).toMatchObject({ height: SIDE, fit: "contain" });
    const asked = ["photos/dog/5.png", "photos/cat/0.png"];
    expect(await main(["search", ...asked, "--index", named, "--top", "20"], folder, folder)).toBe(0);
    for (const file of asked) expect(printed.join("\n")).toContain(`${at(file)} (`);
    expect(printed).toContain("    0  dog  album/5.png");
    await search([asked[0]], { index: named, top: 1, html: "named.html" }, folder, folder);
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

  test("writes a page of a whole folder's answers, and skips files that are no images", async () => {
    mkdirSync(at("mixed"), { recursive: true });
    writeFileSync(at("mixed", "broken.png"), "no image");
    writeFileSync(at("mixed", "whole.png"), readFileSync(at("photos/cat/0.png")));
    const code = await search(["mixed"], { index, top: 2, html: "page.html" }, folder, folder);
    expect(code).toBe(2); // one could not be searched
    expect(printed.join("\n")).toMatch(/1 of 2 images were not searched/);
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
    // By the folder that a pipeline publishes to: the index is in it.
    await build(["photos"], { like: dirname(index), out: "mine" }, folder, folder);
    const [own, recipe] = [readRecipe(at("mine")), readRecipe(index)];
    expect(own).toMatchObject({ encoder: recipe.encoder, bits: 6, images: COUNT, classes: ["cat", "dog"] });
    await search(["photos/cat/10.png"], { index: "mine", top: 3, json: true }, folder, folder);
    const [{ nearest }] = JSON.parse(printed.join("\n"));
    expect(nearest[0]).toMatchObject({ image: at("photos/cat/10.png"), same: true });
    expect(readRecipe(at("mine")).roots).toEqual([{ path: at("photos") }]);
  });

  test("asks for what it needs in one line", async () => {
    writeFileSync(at("plain.txt"), "");
    const faults: [string[], RegExp][] = [
      [["index", "photos"], /name either --like INDEX.* or --backbone NAME/],
      [["index", "photos", "--backbone", "nothing"], /no backbone "nothing"\. There are .*resnet18/],
      [["index", "photos", "--backbone", "resnt18"], /Did you mean "resnet18"\?/],
      [
        ["index", "photos", "--backbone", "resnet18", "--bits", "0"],
        /--bits.* '0' is invalid.* from 1 to 512/,
      ],
      [["index", "photos", "--like", index, "--bits", "32"], /--bits 32: the model of .* has 6 bits/],
      [["index", "", "--like", index], /^index: .*The path is empty/],
      [["index", "photos", "--like", index, "--out", ""], /--out <folder>.*The path is empty/],
      [
        ["index", "photos", "--like", index, "--out", "plain.txt/x"],
        /plain\.txt is a file, not a folder\. Name another/,
      ],
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
    expect(readdirSync(at("indexes"))).toEqual([]); // no temporary file is left
  });

  test("refuses codes and a projection of two lengths", async () => {
    const other = await runStage("encode", {
      params: { binariser: "lsh", bits: 9 },
      inputs: { vectors: world.made.vectors, split: world.made.split },
    });
    await expect(
      runStage("index", {
        params: { backbone: "resnet18" },
        inputs: {
          ...world.made,
          projection: other.outputs.projection,
        },
      }),
    ).rejects.toThrow(/codes have 6 bits, but the projection makes 9/);
  });
});
