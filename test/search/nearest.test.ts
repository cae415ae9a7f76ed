/** The order of answers, above all where many images have one code. */
import sharp from "sharp";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { build } from "../../search/index/build.ts";
import { Nearest } from "../../search/nearest.ts";
import { openIndex } from "../../search/opened.ts";
import { search } from "../../search/search.ts";
import { packSigns } from "../../stages/shared/artifacts/codes.ts";
import { widen } from "../../stages/shared/artifacts/half.ts";
import { directions } from "../../stages/shared/artifacts/outputs.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { CONTENT_BYTES, contentOf } from "../../stages/shared/search-index.ts";
import { makeWorld, type World } from "./world.ts";

const BITS = 2;

describe("of codes and outputs", () => {
  const draw = random(2, "nearest test");
  const ROWS = 300;
  const values = Float32Array.from({ length: ROWS * BITS }, () => draw.normal());
  const who = (row: number) => contentOf(Uint8Array.of(row, row >> 8));
  const index = {
    folder: "here",
    codes: {
      ids: Uint32Array.from({ length: ROWS }, (_, row) => row),
      labels: new Uint16Array(ROWS),
      values: packSigns(values, BITS),
      rows: ROWS,
      bits: BITS,
      classes: ["one"],
      metadata: {},
    },
    outputs: widen(directions(values, BITS, "test")),
    contents: new Uint8Array(Buffer.concat(Array.from({ length: ROWS }, (_, row) => who(row)))),
  };
  const nearest = new Nearest(index);
  const outputsOf = (row: number) => values.slice(row * BITS, (row + 1) * BITS);
  const nobody = new Uint8Array(CONTENT_BYTES);

  test("puts the outputs nearest to the query's first among equal codes", () => {
    for (let row = 0; row < ROWS; row++) {
      const [first] = nearest.find(outputsOf(row), nobody, { top: 1, order: "bits" });
      expect(first).toMatchObject({ row, distance: 0, apart: 0, same: false });
      expect(first.ties).toBeGreaterThan(ROWS / 8);
    }
  });

  test("orders by bits, then by outputs, and says how many share a distance", () => {
    const hits = nearest.find(outputsOf(7), nobody, { top: ROWS, order: "bits" });
    expect(hits).toHaveLength(ROWS);
    for (const [place, hit] of hits.slice(1).entries()) {
      const before = hits[place];
      expect(before.distance).toBeLessThanOrEqual(hit.distance);
      if (before.distance === hit.distance) expect(before.apart).toBeLessThanOrEqual(hit.apart);
      expect(hit.ties).toBe(hits.filter(({ distance }) => distance === hit.distance).length);
    }
    // However few are asked for, they are the first of that order.
    for (const top of [1, 5, 100])
      expect(nearest.find(outputsOf(7), nobody, { top, order: "bits" })).toEqual(hits.slice(0, top));
  });

  test("puts an image with the query's pixels first, in spite of rounding of its bits", () => {
    const flipped = outputsOf(9).map((value) => -value);
    const [first, second] = nearest.find(flipped, who(9), { top: 2, order: "bits" });
    expect(first).toMatchObject({ row: 9, distance: BITS, same: true });
    expect(second).toMatchObject({ distance: 0, same: false });
  });

  test("orders by the outputs alone when asked to", () => {
    const apart = nearest.find(outputsOf(3), nobody, { top: ROWS, order: "outputs" }).map((hit) => hit.apart);
    expect(apart).toEqual([...apart].sort((a, b) => a - b));
  });

  test("refuses outputs that are not finite", () => {
    expect(() => nearest.find(Float32Array.of(1, Number.NaN), nobody, { top: 1, order: "bits" })).toThrow(
      /here: .* not finite/,
    );
  });
});

describe("of photos of which many have one code", () => {
  let world: World;
  const printed: string[] = [];
  const json = async (query: string, index: string) => {
    printed.splice(0);
    await search([query], { index, top: 3, json: true }, world.folder, world.folder);
    return JSON.parse(printed.join("\n"))[0].nearest;
  };
  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation((line) => printed.push(line));
    world = await makeWorld(40, BITS);
    await build(["photos"], { like: world.index, bits: BITS, out: "own" }, world.folder, world.folder);
  });

  test("each finds itself first: in a pipeline's index, and in one of its own folder", async () => {
    const { codes } = await openIndex(world.index);
    expect(new Set(codes.values).size).toBeLessThanOrEqual(4);
    for (const index of [world.index, world.at("own")]) {
      printed.splice(0);
      await search(["photos"], { index, top: 1, json: true }, world.folder, world.folder);
      const answers = JSON.parse(printed.join("\n"));
      expect(answers).toHaveLength(40);
      for (const { query, nearest } of answers) {
        const id = Number(/(\d+)\.png$/.exec(query)![1]);
        expect(nearest[0]).toMatchObject({ image: index === world.index ? id : query, same: true });
        expect(nearest[0].ties).toBeGreaterThan(1);
      }
    }
  });

  test("a copy that is not the same to the bit finds its photo first, by the outputs", async () => {
    for (const photo of world.photos.slice(0, 12)) {
      const { data, info } = await sharp(photo).raw().toBuffer({ resolveWithObject: true });
      for (let i = 0; i < data.length; i += 97) data[i] ^= 1;
      const copy = world.at("copy.png");
      await sharp(data, { raw: info as { width: number; height: number; channels: 3 } }).toFile(copy);
      expect((await json(copy, world.at("own")))[0]).toMatchObject({ image: photo, same: false });
    }
  });

  test("says who is the query and how many share a code", async () => {
    printed.splice(0);
    await search([world.photos[0]], { index: "own", top: 2 }, world.folder, world.folder);
    expect(printed.at(-1)).toMatch(
      /^ +the first has the query's very pixels; \d+ images differ in 0 bits \(ordered/,
    );
  });
});
