/** The same and nearly the same images, found among images drawn at random. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSplit } from "../../../stages/shared/artifacts/split.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { type Duplicate, findDuplicates, fingerprints } from "../../../stages/split/duplicates.ts";
import { runStage } from "../../run-stage.ts";
import { type TestImage, writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";

const SIZE = 32;
type Image = number[];
const clamp = (value: number) => Math.max(0, Math.min(255, Math.round(value)));

/** A smooth pattern of its own, in three channels. */
function picture(seed: number): Image {
  const draw = random(seed, "picture");
  const waves = Array.from({ length: 12 }, () => [
    draw.float() * 4,
    draw.float() * 4,
    draw.float() * 7,
    draw.normal(),
  ]);
  return Array.from({ length: SIZE * SIZE * 3 }, (_, at) => {
    const [y, x, channel] = [Math.floor(at / 3 / SIZE) / SIZE, (Math.floor(at / 3) % SIZE) / SIZE, at % 3];
    const sum = waves.reduce(
      (sum, [fy, fx, phase, size]) => sum + size * Math.sin(6.28 * (fy * y + fx * x) + phase),
      0,
    );
    return clamp(128 + 25 * sum + 10 * channel);
  });
}
const noisy = (image: Image, seed: number) => {
  const draw = random(seed, "noise");
  return image.map((value) => clamp(value + 4 * draw.normal()));
};
const flat = (level: number): Image => Array.from({ length: SIZE * SIZE * 3 }, () => level);

async function search(queries: Image[], others: Image[]): Promise<Duplicate[]> {
  const pixels = Uint8Array.from([...queries, ...others].flat());
  const count = queries.length + others.length;
  async function* pieces() {
    yield { count, pixels };
  }
  const prints = await fingerprints(count, { height: SIZE, width: SIZE, channels: 3 }, pieces());
  const rows = Array.from({ length: count }, (_, row) => row);
  return findDuplicates(prints, rows.slice(0, queries.length), rows.slice(queries.length));
}

const others = Array.from({ length: 40 }, (_, i) => picture(i + 1));

test("images of their own have no duplicate", async () => {
  expect(await search([picture(101), picture(102)], others)).toEqual([]);
});

test("the same pixels are found, and told from those with one bit changed", async () => {
  const changed = others[7].map((value, at) => (at === 5 ? value ^ 1 : value));
  expect(await search([others[7], changed], others)).toEqual([
    { query: 0, other: 2 + 7, kind: "exact", correlation: 1 },
    { query: 1, other: 2 + 7, kind: "near", correlation: expect.closeTo(1, 4) },
  ]);
});

describe("nearly the same are", () => {
  test.each<[string, (image: Image) => Image]>([
    ["brighter ones", (image) => image.map((value) => clamp(value + 20))],
    ["ones of less contrast", (image) => image.map((value) => clamp(128 + 0.6 * (value - 128)))],
    ["ones with noise, as a JPEG's", (image) => noisy(image, 3)],
    [
      "ones in other colours of the same grey",
      (image) =>
        image.map((_, at) =>
          clamp(
            0.299 * image[at - (at % 3)] +
              0.587 * image[at - (at % 3) + 1] +
              0.114 * image[at - (at % 3) + 2],
          ),
        ),
    ],
  ])("%s", async (_, change) => {
    expect(await search([change(others[11])], others)).toMatchObject([{ other: 1 + 11, kind: "near" }]);
  });

  test("no negatives and no mirror images", async () => {
    const mirrored = others[11].map((_, at) => {
      const [y, x, channel] = [Math.floor(at / 3 / SIZE), Math.floor(at / 3) % SIZE, at % 3];
      return others[11][(y * SIZE + SIZE - 1 - x) * 3 + channel];
    });
    expect(await search([others[11].map((value) => 255 - value), mirrored], others)).toEqual([]);
  });
  test("no images that show nothing, unless their pixels are the same", async () => {
    expect(await search([flat(100), flat(7)], [flat(101), flat(7)])).toMatchObject([
      { query: 1, kind: "exact" },
    ]);
  });
});

describe("the stage split", () => {
  const folder = scratch();
  const images: TestImage[] = [
    ...Array.from({ length: 12 }, (_, i) => ({
      id: i + 1,
      split: "train" as const,
      label: i % 2,
      pixels: others[i],
    })),
    { id: 101, split: "test", label: 0, pixels: others[3] },
    { id: 102, split: "test", label: 1, pixels: noisy(others[4], 1) },
    { id: 103, split: "test", label: 0, pixels: picture(201) },
    { id: 104, split: "test", label: 1, pixels: picture(202) },
  ];
  const run = async (duplicates?: string) => {
    const path = writeImages(join(folder, "images.arrow"), images, {
      height: SIZE,
      width: SIZE,
      channels: 3,
      classes: ["cat", "dog"],
    });
    const made = await runStage("split", {
      params: { validation: 2, ...(duplicates && { duplicates }) },
      inputs: { images: path },
    });
    return { ...made, found: JSON.parse(readFileSync(made.outputs.duplicates, "utf8")) };
  };
  const queries = (path: string) => {
    const { ids, query } = readSplit(path);
    return [...ids].filter((_, row) => query[row]);
  };

  test("reports duplicates with counts and leaves the split as it is", async () => {
    const { found, log, outputs } = await run();
    expect(found).toMatchObject({ queries: 4, exact: 1, near: 1, left_out: false });
    expect(found.duplicates).toEqual([
      { query: 101, of: 4, kind: "exact", correlation: 1 },
      { query: 102, of: 5, kind: "near", correlation: expect.closeTo(1, 2) },
    ]);
    expect(log.join("\n")).toContain(
      "1 of 4 queries have the same pixels as an image that trains, validates or is searched, 1 nearly the same: duplicates.json names them",
    );
    expect(queries(outputs.split)).toEqual([101, 102, 103, 104]);
  });
  test("asks none of them where they are to be left out", async () => {
    const { found, outputs } = await run("leave-out");
    expect(found).toMatchObject({ queries: 4, exact: 1, near: 1, left_out: true });
    expect(queries(outputs.split)).toEqual([103, 104]);
  });
});
