/** Duplicates that are planted among photos of their own: found by kind, and no others. */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { scratch } from "../stages/shared/scratch.ts";
import { makeWorld } from "./world.ts";

const [WIDTH, HEIGHT] = [160, 120];
const COUNT = 48;
/** Of the planted ones, per kind: the least share that must be found. Measured on photos in docs/search.md. */
const LEAST = 0.9;

/** A scene of its own: waves and blots in colours. */
async function drawScene(path: string, seed: number): Promise<void> {
  const draw = random(seed, "scene");
  const waves = Array.from({ length: 9 }, () => ({
    x: 3 * draw.float(),
    y: 3 * draw.float(),
    phase: 7 * draw.float(),
    color: [draw.normal(), draw.normal(), draw.normal()],
  }));
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let at = 0; at < pixels.length; at++) {
    const [y, x] = [Math.floor(at / 3 / WIDTH) / HEIGHT, (Math.floor(at / 3) % WIDTH) / WIDTH];
    let sum = 128;
    for (const wave of waves)
      sum += 22 * (1 + wave.color[at % 3]) * Math.sin(6.28 * (wave.x * x + wave.y * y) + wave.phase);
    pixels[at] = Math.max(0, Math.min(255, sum));
  }
  await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg({ quality: 95 })
    .toFile(path);
}

const draw = random(1, "crops");
const PLANTED: Record<string, (image: Sharp) => Sharp> = {
  recompressed: (image) => image.jpeg({ quality: 40 }),
  resized: (image) => image.resize(70),
  stretched: (image) => image.resize(100, 100, { fit: "fill" }),
  mirrored: (image) => image.flop(),
  recoloured: (image) => image.modulate({ saturation: 0.3, brightness: 1.15 }),
  grey: (image) => image.greyscale(),
  cropped: (image) => {
    const share = 0.8 + 0.19 * draw.float();
    const [width, height] = [Math.round(share * WIDTH), Math.round(share * HEIGHT)];
    return image.extract({
      left: draw.int(WIDTH - width + 1),
      top: draw.int(HEIGHT - height + 1),
      width,
      height,
    });
  },
};

const folder = scratch();
const at = (...names: string[]) => join(folder, ...names);
const out: string[] = [];
const err: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  mkdirSync(at("photos"));
  const kinds = Object.keys(PLANTED);
  for (let i = 0; i < COUNT; i++) {
    const path = at("photos", `${i}.jpg`);
    await drawScene(path, i);
    if (i >= 42) continue; // these have no duplicate
    const kind = kinds[i % kinds.length];
    await PLANTED[kind](sharp(path)).toFile(at("photos", `${i}-${kind}.png`));
  }
  copyFileSync(at("photos/47.jpg"), at("photos/47-copy.jpg"));
});
afterEach(() => {
  out.splice(0);
  err.splice(0);
});

interface Group {
  images: { image: string; bytes: number; kind: string; similarity: number }[];
}
const run = (...args: string[]) => main(["duplicates", ...args], folder, folder);
async function groups(...args: string[]): Promise<Group[]> {
  out.splice(0);
  expect(await run("photos", "--json", ...args)).toBe(0);
  return JSON.parse(out.join("\n"));
}
const sceneOf = (path: string) => Number(/(\d+)(-\w+)?\.\w+$/.exec(path)![1]);

describe("duplicates", () => {
  test("finds the planted copies, by kind, and nothing else", async () => {
    const found = await groups();
    for (const { images } of found)
      expect(new Set(images.map(({ image }) => sceneOf(image))).size, JSON.stringify(images)).toBe(1);
    const names = found.flatMap(({ images }) => images.map(({ image }) => image));
    for (const kind of Object.keys(PLANTED)) {
      const planted = readdirSync(at("photos")).filter((name) => name.includes(`-${kind}`));
      const share = planted.filter((name) => names.includes(at("photos", name))).length / planted.length;
      expect(share, kind).toBeGreaterThanOrEqual(kind === "cropped" ? LEAST - 0.1 : LEAST);
    }
    const copies = found.find(({ images }) => images.some(({ image }) => image.endsWith("47-copy.jpg")))!;
    expect(copies.images).toMatchObject([
      { kind: "first", similarity: 1 },
      { kind: "exact", similarity: 1 },
    ]);
  });

  test("takes copies, and what cannot be told from them, where the similarity is 1", async () => {
    const kinds = (await groups("--similarity", "1")).flatMap(({ images }) =>
      images.map(({ image }) => /-(\w+)\.\w+$/.exec(image)?.[1]),
    );
    expect(kinds).toContain("copy");
    for (const kind of ["resized", "cropped"]) expect(kinds).not.toContain(kind);
  });

  test("tells in words, writes a page, and deletes nothing", async () => {
    const before = readdirSync(at("photos"));
    expect(await run("photos", "--html", "page.html")).toBe(0);
    expect(out.at(-1)).toMatch(/^\d+ groups among 91 images; all but .* Nothing was deleted\.$/);
    expect(out.join("\n")).toMatch(/47\.jpg {2}\(the same file · \d/);
    const page = readFileSync(at("page.html"), "utf8");
    expect(page).toContain("groups of duplicates");
    expect(page.match(/data:image\/webp/g)!.length).toBeGreaterThan(80);
    expect(readdirSync(at("photos"))).toEqual(before);
  });

  test("takes other names of one file for links, not for copies", async () => {
    mkdirSync(at("linked"));
    copyFileSync(at("photos/1.jpg"), at("linked/b.jpg"));
    symlinkSync("b.jpg", at("linked/a.jpg"));
    linkSync(at("linked/b.jpg"), at("linked/c.jpg"));
    expect(await run("linked")).toBe(0);
    expect(err).toEqual(["! 2 links to files that are compared, which are no copies: passed over."]);
    expect(out).toEqual(["No duplicates among 1 image."]);
    copyFileSync(at("photos/1.jpg"), at("linked/d.jpg"));
    expect(await run("linked")).toBe(0);
    expect(out.join("\n")).toMatch(
      /b\.jpg .*\n.*d\.jpg .*\n1 group among 2 images; all but the largest file of each: 1 file,/,
    );
  });

  test("reports unreadable files, and compares the others", async () => {
    mkdirSync(at("few"));
    writeFileSync(at("few/broken.png"), "no image");
    for (const name of ["a.jpg", "b.jpg"]) copyFileSync(at("photos/1.jpg"), at("few", name));
    expect(await run("few")).toBe(2);
    expect(err).toEqual([expect.stringMatching(/broken\.png: unreadable image .* not compared/)]);
    expect(out[0]).toBe("group 1");
  });

  test.each<[string[], RegExp]>([
    [[], /name a folder of images, or an index with --index/],
    [["nowhere"], /nowhere: no such file or folder/],
    [["photos", "--index", "few"], /no index/],
  ])("%j is refused in one line", async (args, message) => {
    expect(await run(...args)).toBe(2);
    expect(err).toEqual([expect.stringMatching(message)]);
  });
});

test("the files of an index are compared; one of a data set has none", async () => {
  const world = await makeWorld(6, 6);
  copyFileSync(world.photos[0], world.at("photos/dog/copy.png"));
  const args = ["index", "photos", "--like", world.index, "--out", "own"];
  expect(await main(args, world.folder, world.folder)).toBe(0);
  out.splice(0);
  expect(await main(["duplicates", "--index", "own", "--similarity", "1"], world.folder, world.folder)).toBe(
    0,
  );
  expect(out.join("\n")).toContain("dog/copy.png  (the same file");
  expect(await main(["duplicates", "--index", world.index], world.folder, world.folder)).toBe(2);
  expect(err.at(-1)).toMatch(/is of a data set, not of files/);
  expect(existsSync(world.at("own/index.json"))).toBe(true);
});
