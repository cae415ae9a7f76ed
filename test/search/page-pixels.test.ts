/** Pixels for the page that searches by itself: those that sharp makes. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { fitted, type Origin } from "../../search/page/pixels/fit.ts";
import { toGrey } from "../../search/page/pixels/grey.ts";
import { samplingOf } from "../../search/page/pixels/jpeg.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { decode, type Shape } from "../../stages/shared/download/decode.ts";
import { scratch } from "../stages/shared/scratch.ts";

const draw = random(1, "pixels");

/** Waves and noise: what a resampling that is a little off gets wrong. */
function drawn(width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < 3; channel++)
        pixels[at++] =
          128 +
          90 * Math.sin((20 * (channel + 1) * x) / width + (9 * y) / height) * Math.cos(y / 7) +
          draw.int(30);
  return pixels;
}

/** How the pixels of a file differ from sharp's: the largest difference, and the mean one. */
async function differences(file: string, shape: Shape, form: Origin["form"]) {
  const origin: Origin = form === "jpeg" ? { form, sampling: samplingOf(readFileSync(file)) } : { form };
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const given = fitted({ pixels: data, width, height, channels }, { ...shape, channels: 3 }, origin).pixels;
  const own = shape.channels === 1 ? toGrey(given) : given;
  const wanted = await decode(file, shape);
  expect(own.length).toBe(wanted.length);
  const apart = Array.from(own, (value, i) => Math.abs(value - wanted[i]));
  return { most: Math.max(...apart), mean: apart.reduce((sum, value) => sum + value, 0) / apart.length };
}

const folder = scratch();
type Options = { quality?: number; chromaSubsampling?: string; lossless?: boolean };
async function made(width: number, height: number, form: "png" | "jpeg" | "webp", options: Options = {}) {
  const file = join(folder, `${width}x${height}.${form}`);
  const image = sharp(drawn(width, height), { raw: { width, height, channels: 3 } });
  writeFileSync(file, await image.toFormat(form, options).toBuffer());
  return file;
}

const SQUARE = { width: 64, height: 64, channels: 3 };

describe("an image is brought to the encoder's size as sharp does it, to the last bit", () => {
  test.each<[number, number, Shape["fit"]]>([
    [64, 64, "cover"],
    [16, 16, "cover"],
    [90, 60, "cover"],
    [60, 130, "cover"],
    [333, 200, "cover"],
    [700, 500, "cover"],
    [100, 300, "contain"],
    [30, 20, "contain"],
    [30, 200, "fill"],
    [300, 20, "fill"],
  ])("%d x %d, %s", async (width, height, fit) => {
    const file = await made(width, height, "png");
    expect(await differences(file, { ...SQUARE, fit }, "other")).toEqual({ most: 0, mean: 0 });
  });

  test("a JPEG that its decoder does not make smaller, too", async () => {
    expect(await differences(await made(120, 90, "jpeg"), SQUARE, "jpeg")).toEqual({ most: 0, mean: 0 });
  });
});

test.each([
  ["jpeg", { chromaSubsampling: "4:2:0" }],
  ["jpeg", { chromaSubsampling: "4:4:4" }],
  ["webp", { lossless: true }],
] as const)("a %s (%o) that its decoder makes smaller differs by a level or so", async (form, options) => {
  for (const [width, height] of [
    [800, 600],
    [333, 301],
    [171, 150],
  ]) {
    const { most, mean } = await differences(await made(width, height, form, options), SQUARE, form);
    expect(mean).toBeLessThan(0.5);
    expect(most).toBeLessThanOrEqual(4);
  }
});

test("grey is by luminance", async () => {
  const { most } = await differences(await made(64, 64, "png"), { ...SQUARE, channels: 1 }, "other");
  expect(most).toBeLessThanOrEqual(1);
});

test("colours sampled otherwise than by 1 or 2 are taken as decoded", () => {
  const frame = (own: number, colour: number) =>
    Uint8Array.from([
      0xff,
      0xd8,
      0xff,
      0xc0,
      0,
      17,
      8,
      0,
      8,
      0,
      8,
      3,
      1,
      own,
      0,
      2,
      colour,
      0,
      3,
      colour,
      0,
      0,
      0,
    ]);
  expect(samplingOf(frame(0x22, 0x11))).toEqual([2, 2]);
  expect(samplingOf(frame(0x41, 0x11))).toEqual([1, 1]);
});
