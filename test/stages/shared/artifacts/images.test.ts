import { join } from "node:path";
import { Uint16, Uint32, Utf8 } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { bytesColumn, writeTable } from "../../../../stages/shared/artifacts/arrow.ts";
import { readImageList, readPixels } from "../../../../stages/shared/artifacts/images.ts";
import { scratch } from "../scratch.ts";
import { type TestImage, writeImages } from "./image-table.ts";

const folder = scratch();
const images = (count: number): TestImage[] =>
  Array.from({ length: count }, (_, i) => ({
    id: 3 * i,
    split: i % 2 ? "test" : "train",
    label: i % 3,
    pixels: [i, i + 1, i + 2, i + 3],
  }));
const shape = { height: 1, width: 4, channels: 1, classes: ["a", "b", "c"] };

describe("readImageList", () => {
  it("joins all record batches", async () => {
    const path = writeImages(join(folder, "list.arrow"), images(7), { ...shape, batch: 3 });
    expect(await readImageList(path)).toEqual({
      ids: Uint32Array.of(0, 3, 6, 9, 12, 15, 18),
      labels: Uint16Array.of(0, 1, 2, 0, 1, 2, 0),
      test: Uint8Array.of(0, 1, 0, 1, 0, 1, 0),
      dataset: "test",
      ...shape,
    });
  });

  it("refuses a label outside the classes, and a table without images", async () => {
    const path = writeImages(join(folder, "label.arrow"), images(7), {
      ...shape,
      classes: ["a", "b"],
      batch: 2,
    });
    await expect(readImageList(path)).rejects.toThrow(
      /image 6 has label 2, but there are 2 classes \(0 to 1\)/,
    );
    const none = writeImages(join(folder, "none.arrow"), [], shape);
    await expect(readImageList(none)).rejects.toThrow(new UserError(`${none}: holds no images.`));
  });

  it("refuses pixels that do not fit the size given", async () => {
    const path = join(folder, "size.arrow");
    writeTable(
      path,
      "images",
      { id: new Uint32(), split: new Utf8(), label: new Uint16(), pixels: bytesColumn(5) },
      1,
      { id: Uint32Array.of(1), split: ["train"], label: Uint16Array.of(0), pixels: new Uint8Array(5) },
      { dataset: "test", ...shape },
    );
    await expect(readImageList(path)).rejects.toThrow(/images of 1 x 4 x 1 have 4 bytes, but these have 5/);
  });
});

describe("readPixels", () => {
  it("gives all pixels in order, in pieces of at most the size asked for", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        async (count, batch, piece) => {
          const path = writeImages(join(folder, "pixels.arrow"), images(count), { ...shape, batch });
          const pixels: number[] = [];
          for await (const part of readPixels(path, piece)) {
            expect(part.count).toBeLessThanOrEqual(piece);
            expect(part.pixels).toHaveLength(4 * part.count);
            pixels.push(...part.pixels);
          }
          expect(pixels).toEqual(images(count).flatMap((image) => Array.from(image.pixels)));
        },
      ),
      { numRuns: 25 },
    );
  });
});
