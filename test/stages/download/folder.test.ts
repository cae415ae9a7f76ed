import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { reasonOf } from "../../../stages/shared/download/decode.ts";
import { scratch } from "../shared/scratch.ts";
import { download, fault, imagesOf } from "./fakes.ts";

type Colour = { r: number; g: number; b: number; alpha?: number };
const RED = { r: 200, g: 0, b: 0 };
const BLUE = { r: 0, g: 0, b: 200 };

const picture = (background: Colour, width = 6, height = 6) =>
  sharp({ create: { width, height, channels: background.alpha === undefined ? 3 : 4, background } });
const save = (root: string, path: string, content: Uint8Array | string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
const get = (files: string | undefined, params: Record<string, unknown> = {}) =>
  download(scratch(), { use: "folder", size: 4, ...params }, files ? { files } : {});
/** The colour an image has all over, within what JPEG and WebP lose; undefined when it has several. */
const colourOf = (pixels: number[]): number[] | undefined => {
  const first = pixels.slice(0, 3);
  const same = pixels.every((value, i) => Math.abs(value - first[i % 3]) < 8);
  return same ? first.map((value) => Math.round(value / 10) * 10) : undefined;
};

describe("download of a folder", () => {
  const root = scratch();
  beforeAll(async () => {
    save(root, "red/b.png", await picture(RED).png().toBuffer());
    save(root, "red/a/deep.JPG", await picture(RED, 9, 3).jpeg().toBuffer());
    save(root, "blue/c.webp", await picture(BLUE).webp().toBuffer());
    save(root, "blue/d.jpeg", await picture(BLUE).jpeg().toBuffer());
    save(root, "blue/notes.txt", "passed over");
    save(root, ".git/x.png", "passed over as well");
    save(root, "beside.png", await picture(RED).png().toBuffer());
  });

  it("takes one folder a class, in order of name, at one size", async () => {
    const { outputs, notes, log } = await get(root);
    const images = imagesOf(outputs.images);
    expect(images.map(({ id, label, split }) => [id, label, split])).toEqual([
      [0, 0, "train"],
      [1, 0, "train"],
      [2, 1, "train"],
      [3, 1, "train"],
    ]);
    expect(images.map(({ pixels }) => colourOf(pixels))).toEqual([
      [0, 0, 200],
      [0, 0, 200],
      [200, 0, 0],
      [200, 0, 0],
    ]);
    expect(readMetadata(readTable(outputs.images, "images"))).toEqual({
      dataset: "folder",
      height: 4,
      width: 4,
      channels: 3,
      fit: "cover",
      classes: ["blue", "red"],
      names: ["blue/c.webp", "blue/d.jpeg", "red/a/deep.JPG", "red/b.png"],
    });
    expect(notes).toMatchObject({ images: 4, unreadable_files: 0, other_files: 1 });
    expect(log).toEqual([
      "1 file is no image by the ending: 1 .txt.",
      "1 image is beside the class folders and has no class: beside.png.",
      "no images by their ending: blue/notes.txt",
    ]);
  });

  it("takes the published split where there are train and test", async () => {
    const two = scratch();
    save(two, "train/red/1.png", await picture(RED).png().toBuffer());
    save(two, "train/blue/1.png", await picture(BLUE).png().toBuffer());
    save(two, "test/red/1.png", await picture(RED).png().toBuffer());
    save(two, "test/green/1.png", await picture({ r: 0, g: 200, b: 0 }).png().toBuffer());
    const { outputs } = await get(two);
    expect(imagesOf(outputs.images).map(({ id, label, split }) => [id, label, split])).toEqual([
      [0, 0, "train"],
      [1, 2, "train"],
      [2, 1, "test"],
      [3, 2, "test"],
    ]);
    expect(readMetadata(readTable(outputs.images, "images")).classes).toEqual(["blue", "green", "red"]);
  });

  it("takes val for validation, in any case of letters, and skips folders that are no split", async () => {
    const three = scratch();
    const image = await picture(RED).png().toBuffer();
    for (const path of ["Training/red/1.png", "Valid/red/2.png", "TEST/blue/3.png"]) save(three, path, image);
    save(three, "notes/about.txt", "text");
    save(three, "TEST/flat.png", image);
    const { outputs, log } = await get(three);
    expect(imagesOf(outputs.images).map(({ label, split }) => [label, split])).toEqual([
      [1, "train"],
      [1, "validation"],
      [0, "test"],
    ]);
    expect(log).toContain("1 image is beside the class folders and has no class: TEST/flat.png.");
  });

  it("takes every form that sharp decodes, under any ending, and the first of several pages", async () => {
    const forms = scratch();
    const red = () => picture(RED, 16, 16);
    const two = sharp([await red().png().toBuffer(), await picture(BLUE, 16, 16).png().toBuffer()], {
      join: { animated: true },
    });
    save(forms, "a/1.gif", await two.gif().toBuffer());
    save(forms, "a/2.tif", await red().tiff().toBuffer());
    save(forms, "a/3.TIFF", await red().toColourspace("cmyk").tiff().toBuffer());
    save(forms, "a/4.avif", await red().avif({ lossless: true }).toBuffer());
    save(forms, "a/5.jfif", await red().jpeg().toBuffer());
    save(forms, "a/6.jpg", await red().png().toBuffer());
    save(forms, "a/7.png", await red().toColourspace("rgb16").png().toBuffer());
    save(forms, "a/8.jpe", await red().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer());
    save(forms, "a/9.png", await red().ensureAlpha().png({ palette: true }).toBuffer());
    const { outputs, notes } = await get(forms);
    expect(notes).toMatchObject({ images: 9, unreadable_files: 0 });
    for (const { id, pixels } of imagesOf(outputs.images))
      for (const [i, value] of pixels.slice(0, 3).entries())
        expect(Math.abs(value - [200, 0, 0][i]), `${id + 1}, channel ${i}`).toBeLessThan(60); // ink is no light
  });

  it("takes a JPEG that only makes its decoder warn", async () => {
    const odd = scratch();
    const jpeg = await picture(RED, 64, 64).jpeg().toBuffer();
    const scan = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
    save(odd, "a/1.jpg", Buffer.concat([jpeg.subarray(0, scan), Buffer.alloc(9), jpeg.subarray(scan)]));
    save(odd, "a/2.jpg", Buffer.concat([jpeg, Buffer.from("SEFT of a phone")]));
    const { outputs, notes } = await get(odd);
    expect(notes).toMatchObject({ images: 2, unreadable_files: 0 });
    for (const { pixels } of imagesOf(outputs.images)) expect(colourOf(pixels)).toEqual([200, 0, 0]);
  });

  it("tells why an image is unreadable in one line, without the path of the folder", async () => {
    const odd = scratch();
    save(odd, "good/1.png", await picture(RED).png().toBuffer());
    const avif = await picture(RED, 64, 48).avif().toBuffer();
    avif[200] ^= 9;
    avif[140] ^= 3;
    save(odd, "bad/a\nb.avif", avif);
    const jpeg = await picture(RED, 64, 64).jpeg().toBuffer();
    save(odd, "bad/cut.jpg", jpeg.subarray(0, jpeg.length - 30));
    const { log } = await get(odd);
    expect(log.join("\n")).not.toContain(odd);
    expect(log.filter((line) => line.startsWith("unreadable: "))).toEqual([
      expect.stringMatching(/^unreadable: bad\/a\\u000ab\.avif \(Input file has corrupt header: \S.*\)$/),
      expect.stringMatching(/^unreadable: bad\/cut\.jpg \(.*premature end of JPEG image\)$/),
    ]);
  });

  it("leaves out what the decoder says of another image, decoded meanwhile", () => {
    const message =
      "Input file has corrupt header: /photos/b.jpg: bad huffman code\n/photos/a b.avif: bad box\nheif: no";
    expect(reasonOf(message, "/photos/a b.avif")).toBe("bad box");
    expect(reasonOf("/photos/b.jpg: cut", "/photos/a b.avif")).toBe("it cannot be decoded");
  });

  it("names a class of which nothing can be read, and shows no raw control character", async () => {
    const odd = scratch();
    save(odd, "good/1.png", await picture(RED).png().toBuffer());
    save(odd, "bad\u001b[31m/1.png", "text");
    save(odd, "bad\u001b[31m/2.jpg", "ftypheic");
    const { outputs, log } = await get(odd);
    expect(readMetadata(readTable(outputs.images, "images")).classes).toEqual(["bad\\u001b[31m", "good"]);
    expect(log.at(-1)).toBe("not one image could be read of the class bad\\u001b[31m.");
    expect(log.join("")).not.toMatch(/\p{Cc}/u);
  });

  it("cuts, pads or stretches, turns upright, and puts white behind transparent pixels", async () => {
    const odd = scratch();
    // Left half red, right half blue: 8 x 4.
    const halves = await picture(RED, 8, 4)
      .composite([{ input: await picture(BLUE, 4, 4).png().toBuffer(), left: 4, top: 0 }])
      .png()
      .toBuffer();
    save(odd, "a/halves.png", halves);
    save(
      odd,
      "a/transparent.png",
      await picture({ ...RED, alpha: 0 })
        .png()
        .toBuffer(),
    );
    // Marked as lying on its side: the left half is up when it is upright.
    save(
      odd,
      "a/turned.jpg",
      await sharp(halves)
        .withMetadata({ orientation: 6 })
        .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
        .toBuffer(),
    );
    save(
      odd,
      "b/grey.png",
      await sharp({ create: { width: 4, height: 4, channels: 3, background: { r: 90, g: 90, b: 90 } } })
        .toColourspace("b-w")
        .png()
        .toBuffer(),
    );
    const at = (pixels: number[], row: number, column: number) =>
      pixels
        .slice((row * 4 + column) * 3, (row * 4 + column + 1) * 3)
        .map((value) => Math.round(value / 60) * 60);
    const by = async (fit: string) =>
      imagesOf((await get(odd, { fit })).outputs.images).map(({ pixels }) => pixels);
    const [cover, transparent, turned, grey] = await by("cover");
    expect([at(cover, 0, 0), at(cover, 3, 3)]).toEqual([
      [180, 0, 0],
      [0, 0, 180],
    ]);
    expect(colourOf(transparent)).toEqual([260, 260, 260]);
    expect([at(turned, 0, 3), at(turned, 3, 0)]).toEqual([
      [180, 0, 0],
      [0, 0, 180],
    ]);
    expect(colourOf(grey)).toEqual([90, 90, 90]);
    const [contained] = await by("contain");
    expect(at(contained, 0, 0)).toEqual([240, 240, 240]);
    expect(at(contained, 2, 0)).toEqual([180, 0, 0]);
    const [filled] = await by("fill");
    expect([at(filled, 0, 0), at(filled, 3, 3)]).toEqual([
      [180, 0, 0],
      [0, 0, 180],
    ]);
  });

  it("leaves unreadable images out, counts and names them; ends the run when asked to be strict", async () => {
    const bad = scratch();
    const jpeg = await picture(RED, 64, 64).jpeg().toBuffer();
    save(bad, "a/0.png", "this is text");
    save(bad, "a/1.png", await picture(RED).png().toBuffer());
    save(bad, "a/2.jpg", jpeg.subarray(0, jpeg.length - 40));
    save(bad, "b/3.png", "");
    save(bad, "b/4.png", await picture(BLUE).png().toBuffer());
    const { outputs, notes, log } = await get(bad);
    expect(imagesOf(outputs.images).map(({ id, label }) => [id, label])).toEqual([
      [1, 0],
      [4, 1],
    ]);
    expect(notes).toMatchObject({ images: 2, unreadable_files: 3 });
    expect(log.filter((line) => line.startsWith("unreadable: "))).toHaveLength(3);
    expect(log.at(-1)).toMatch(
      /^3 of 5 images are unreadable and left out: a\/0\.png \(.+\), a\/2\.jpg \(.+\), b\/3\.png \(.+\)\.$/,
    );
    expect(await fault(get(bad, { strict: true }))).toMatch(
      /unreadable image a\/0\.png \(.*\)\. Take it out, or set strict/,
    );
  });

  it("keeps every image in its place when there are more than are decoded at a time", async () => {
    const many = scratch();
    for (let i = 0; i < 21; i++)
      save(
        many,
        `${i % 2 ? "odd" : "even"}/${String(i).padStart(2, "0")}.png`,
        await picture({ r: 10 * i, g: 0, b: 0 })
          .png()
          .toBuffer(),
      );
    const { outputs } = await get(many);
    const order = [...Array(21).keys()]
      .filter((i) => i % 2 === 0)
      .concat([...Array(21).keys()].filter((i) => i % 2));
    expect(imagesOf(outputs.images).map(({ id, label, pixels }) => [id, label, pixels[0]])).toEqual(
      order.map((i, id) => [id, i % 2, 10 * i]),
    );
  });

  it("rejects any other folder", async () => {
    expect(await fault(get(undefined))).toContain("inputs: { files: ./MY/IMAGES }");
    const empty = scratch();
    expect(await fault(get(empty))).toMatch(/no images\. There must be one folder a class/);
    save(empty, "file.txt", "text");
    expect(await fault(get(join(empty, "file.txt")))).toMatch(/file\.txt: no folder/);
    save(empty, "a/x.png", "text");
    expect(await fault(get(empty))).toContain("folder holds no images");
  });
});
