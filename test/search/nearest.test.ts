/** The order of answers, above all where many images have one code. */
import sharp from "sharp";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { build } from "../../search/index/build.ts";
import { type Hit, Nearest, type Wanted } from "../../search/nearest.ts";
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
    outputs: directions(values, BITS, "test"),
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

describe("of clustered codes, in every way that they are found", () => {
  const [ROWS, BITS, CLASSES] = [4000, 24, 5];
  const draw = random(3, "front test");
  const centres = Array.from({ length: 40 }, () => Float32Array.from({ length: BITS }, () => draw.normal()));
  const values = new Float32Array(ROWS * BITS);
  for (let row = 0; row < ROWS; row++) {
    const centre = centres[draw.int(centres.length)];
    for (let bit = 0; bit < BITS; bit++) values[row * BITS + bit] = centre[bit] + draw.normal() / 4;
  }
  // Some are there more than once.
  for (let row = 0; row < 200; row++)
    values.copyWithin((ROWS - 1 - row) * BITS, row * BITS, (row + 1) * BITS);
  const who = (row: number) => {
    const first = row < 200 ? row : row >= ROWS - 200 ? ROWS - 1 - row : row;
    return contentOf(Uint8Array.of(first, first >> 8));
  };
  const index = {
    folder: "here",
    codes: {
      ids: Uint32Array.from({ length: ROWS }, (_, row) => row),
      labels: Uint16Array.from({ length: ROWS }, (_, row) => row % CLASSES),
      values: packSigns(values, BITS),
      rows: ROWS,
      bits: BITS,
      classes: ["a", "b", "c", "d", "e"],
      metadata: {},
    },
    outputs: directions(values, BITS, "test"),
    contents: new Uint8Array(Buffer.concat(Array.from({ length: ROWS }, (_, row) => who(row)))),
  };
  const numbers = widen(index.outputs);

  /** The answer by its definition. */
  function byDefinition(query: number, { top, order, allTies, radius = BITS, labels }: Wanted): Hit[] {
    const codeOf = (row: number) => index.codes.values.subarray(row * 3, row * 3 + 3);
    const bitsOf = (byte: number) => byte.toString(2).replaceAll("0", "").length;
    const distanceOf = (row: number) =>
      codeOf(row).reduce((sum, byte, at) => sum + bitsOf(byte ^ codeOf(query)[at]), 0);
    const distances = Array.from({ length: ROWS }, (_, row) => distanceOf(row));
    const apart = (row: number) => {
      let sum = 0;
      for (let bit = 0; bit < BITS; bit++)
        sum += (numbers[query * BITS + bit] - numbers[row * BITS + bit]) ** 2;
      return sum / 2;
    };
    const isSame = (row: number) => Buffer.compare(who(row), who(query)) === 0;
    const all = Array.from({ length: ROWS }, (_, row): Hit => {
      const distance = distances[row];
      return { row, distance, apart: apart(row), same: isSame(row), ties: 0 };
    })
      .filter(
        ({ row, distance, same }) => (same || distance <= radius) && (!labels || labels.has(row % CLASSES)),
      )
      .sort(
        (a, b) =>
          Number(b.same) - Number(a.same) ||
          (order === "outputs" ? 0 : a.distance - b.distance) ||
          a.apart - b.apart ||
          a.distance - b.distance ||
          a.row - b.row,
      );
    const last = all[Math.min(top, all.length) - 1];
    return all
      .filter(({ distance }, place) => place < top || (allTies && distance === last.distance))
      .map((hit) => ({ ...hit, ties: distances.filter((one) => one === hit.distance).length }));
  }

  test.each([
    ["the scan", { rows: ROWS + 1, searches: 1 }],
    ["the tables", { rows: 1, searches: 1 }],
  ])("the answers are those of the definition, by %s", (_, limits) => {
    const nearest = new Nearest(index, limits);
    const wanted: Wanted[] = [
      { top: 1 },
      { top: 10 },
      { top: 300, allTies: true },
      { top: 10, radius: 2 },
      { top: 10, labels: new Set([1, 3]) },
      { top: 10, order: "outputs" },
      { top: 5, order: "outputs", labels: new Set([2]), radius: 4 },
      { top: ROWS },
    ];
    for (const one of wanted)
      for (const query of [0, 17, 1234, ROWS - 5])
        expect(nearest.like(query, one), JSON.stringify([one, query])).toEqual(byDefinition(query, one));
  });

  test("the tables are given up where they do not answer", () => {
    const far = {
      ...index,
      codes: { ...index.codes, values: Uint8Array.from(index.codes.values, () => draw.int(256)) },
    };
    const plain = new Nearest(far, { rows: ROWS + 1, searches: 1 });
    const tried = new Nearest(far, { rows: 1, searches: 3 });
    for (let query = 0; query < 12; query++)
      expect(tried.like(query, { top: 50 })).toEqual(plain.like(query, { top: 50 }));
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
