/** A reader gives what the writer beside it was given. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { readCurve, writeCurve } from "../../../../stages/shared/artifacts/curve.ts";
import {
  readImageList,
  readPixels,
  type WrittenImage,
  writeImages,
} from "../../../../stages/shared/artifacts/images.ts";
import { readSheet, writeSheet } from "../../../../stages/shared/artifacts/thumbnails.ts";
import { scratch } from "../scratch.ts";

it("curve: means over queries, one value a radius", () => {
  const path = join(scratch(), "curve.arrow");
  const radii = {
    precision: Float64Array.of(2, 1),
    recall: Float64Array.of(0.5, 2),
    retrieved: Float64Array.of(3, 8),
    empty: Float64Array.of(1, 0),
  };
  writeCurve(path, radii, 1, 2, { protocol: "P1" });
  expect(readCurve(path)).toEqual({
    protocol: "P1",
    bits: 1,
    precision: Float32Array.of(1, 0.5),
    recall: Float32Array.of(0.25, 1),
  });
});

it("images: more than a batch, with their pixels in order", async () => {
  const path = join(scratch(), "images.arrow");
  const images = Array.from(
    { length: 4100 },
    (_, id): WrittenImage => ({
      id,
      split: id % 2 ? "test" : "train",
      label: id % 3,
      pixels: Uint8Array.of(id % 251, id % 7),
    }),
  );
  const about = { dataset: "own", classes: ["a", "b", "c"], height: 1, width: 2, channels: 1 };
  const batches: number[] = [];
  expect(await writeImages(path, images, about, false, (done) => batches.push(done))).toBe(4100);
  expect(batches).toEqual([2000, 4000, 4100]);
  const list = await readImageList(path);
  expect(list).toMatchObject(about);
  expect([...list.ids]).toEqual(images.map(({ id }) => id));
  expect([...list.test]).toEqual(images.map(({ id }) => id % 2));
  const pixels: Uint8Array[] = [];
  for await (const piece of readPixels(path, 1000)) pixels.push(piece.pixels.slice());
  expect(Buffer.concat(pixels).equals(Buffer.concat(images.map((image) => image.pixels)))).toBe(true);
});

it("thumbnails: an empty folder has none", () => {
  const folder = scratch();
  expect(readSheet(folder)).toBeUndefined();
  writeSheet(folder, Uint8Array.of(1, 2), { side: 32, columns: 2, count: 3 });
  expect(readSheet(folder)).toEqual({ webp: Buffer.of(1, 2), side: 32, columns: 2, count: 3 });
});
