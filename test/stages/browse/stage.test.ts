import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Float32, Uint16, Uint32 } from "apache-arrow";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { numbers, readTable, writeTable } from "../../../stages/shared/artifacts/arrow.ts";
import { packSigns, writeCodes } from "../../../stages/shared/artifacts/codes.ts";
import type { Neighbours } from "../../../stages/shared/artifacts/neighbours.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../../run-stage.ts";
import { writeImages } from "../shared/artifacts/image-table.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const blobs = { classes: 3, perClass: 40, dim: 6, noise: 1.2 };
const folder = mkdtempSync(join(tmpdir(), "deephash-browse-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
writeBlobs(path("vectors.arrow"), blobs);
writeBlobSplit(path("split.arrow"), blobs);
const { ids, labels, values, rows, dim, classes } = readVectors(path("vectors.arrow"));
const bits = packSigns(
  values.map((value) => value - 1),
  dim,
);
writeCodes(path("codes.arrow"), { ids, labels, values: bits, rows, bits: dim, classes });
const all = Array.from({ length: rows }, (_, row) => row);
const share = (row: number) => (row % 40) / 40;
const queries = all.filter((row) => share(row) >= 0.75);
const database = all.filter((row) => share(row) < 0.75);
const points = queries.slice(0, 15);
const float = new Float32();
writeTable(
  path("map.arrow"),
  "tsne",
  { id: new Uint32(), label: new Uint16(), x: float, y: float },
  points.length,
  {
    id: Uint32Array.from(points, (row) => ids[row]),
    label: Uint16Array.from(points, (row) => labels[row]),
    x: new Float32Array(points.length),
    y: new Float32Array(points.length),
  },
  { classes, point: {}, points: 15, perplexity: 3, trustworthiness: 1, iterations: 1, kl: 1, seed: 1 },
);
const codesPoint = { loss: "facenet", bits: dim };

const browse = async (params: object = {}, inputs: object = {}) => {
  const { outputs } = await runStage("browse", {
    params: { queries: 9, neighbours: 4, raw_distance: "cosine", ...params },
    inputs: {
      split: path("split.arrow"),
      vectors: [{ path: path("vectors.arrow"), id: "features.arrow" }],
      codes: [{ path: path("codes.arrow"), id: "encode[bits=6]", point: codesPoint }],
      ...inputs,
    },
  });
  const text = readFileSync(outputs.neighbours, "utf8");
  return { text, found: JSON.parse(text) as Neighbours, thumbnails: outputs.thumbnails };
};
const vector = (row: number) => values.subarray(row * dim, (row + 1) * dim);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + value * b[d], 0);
const cosine = (a: number, b: number) => {
  const [x, y] = [vector(a), vector(b)];
  return 1 - dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
};
const hamming = (a: number, b: number) =>
  vector(a).reduce((count, value, d) => count + (value > 1 === vector(b)[d] > 1 ? 0 : 1), 0);
const rowOf = ({ images }: Neighbours, place: number) => images.id[place] - 100;

describe("browse", () => {
  it("draws queries with all classes alike, and lists the nearest of each representation", async () => {
    const { found } = await browse();
    expect(found.queries).toHaveLength(9);
    expect(found.drawn).toBe(9);
    const drawn = found.queries.map((place) => rowOf(found, place));
    for (const row of drawn) expect(queries).toContain(row);
    expect(drawn.map((row) => labels[row])).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    const [features, codes] = found.representations;
    expect(features).toMatchObject({ name: "raw features", kind: "features", distance: "cosine", dim });
    expect(codes).toMatchObject({ name: `facenet · bits ${dim}`, kind: "code", distance: "hamming", dim });
    for (const [list, distance] of [
      [features, cosine],
      [codes, hamming],
    ] as const)
      for (const [index, query] of drawn.entries()) {
        // A stable sort: of equally near images the first one in the database.
        const nearest = database.toSorted((a, b) => distance(query, a) - distance(query, b)).slice(0, 4);
        const listed = list.neighbours.slice(4 * index, 4 * index + 4);
        expect(listed.map((place) => rowOf(found, place))).toEqual(nearest);
        for (const [at, item] of nearest.entries())
          expect(list.distances[4 * index + at]).toBeCloseTo(distance(query, item), 3);
        const furthest = distance(query, nearest[3]);
        const within = database.filter((item) => distance(query, item) <= furthest + 1e-9).length;
        expect(list.within[index]).toBe(within);
      }
    for (const [place, id] of found.images.id.entries())
      expect(found.images.label[place]).toBe(labels[id - 100]);
  });

  it("scores a query as evaluate does, and adds the worst that evaluate found", async () => {
    const evaluated = await runStage("evaluate", {
      params: { ks: [1], distance: "cosine" },
      inputs: { vectors: path("vectors.arrow"), split: path("split.arrow") },
      cpus: 1,
    });
    const perQuery = readTable(evaluated.outputs["per-query"], "per-query");
    const precision = new Map(
      Array.from(numbers(perQuery, "id"), (id, row) => [id, numbers<Float32Array>(perQuery, "map")[row]]),
    );
    const runs = [
      { path: evaluated.outputs["per-query"], id: "evaluate-raw", point: {} },
      { path: evaluated.outputs["per-query"], id: "another", point: { loss: "another" } },
    ];
    const { found } = await browse({ worst: 3 }, { queries: runs });
    expect(found.drawn).toBe(9);
    const asked = found.queries.map((place) => found.images.id[place]);
    for (const [index, id] of asked.entries())
      expect(found.representations[0].map[index]).toBeCloseTo(precision.get(id)!, 3);
    const worst = [...precision].sort(([, a], [, b]) => a - b).slice(0, 3);
    for (const [id] of worst) expect(asked).toContain(id);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it("lists the neighbours of a map's points among themselves", async () => {
    const { found } = await browse({}, { maps: [{ path: path("map.arrow") }] });
    expect(found.points.map((place) => rowOf(found, place))).toEqual(points);
    for (const [index, point] of points.entries()) {
      const others = points.filter((other) => other !== point);
      const nearest = others.toSorted((a, b) => cosine(point, a) - cosine(point, b)).slice(0, 4);
      const listed = found.representations[0].among_points.slice(4 * index, 4 * index + 4);
      expect(listed.map((place) => rowOf(found, place))).toEqual(nearest);
    }
  });

  it("gives the same bytes again, and other queries for another seed", async () => {
    const first = await browse();
    expect((await browse()).text).toBe(first.text);
    const asked = ({ queries, images }: Neighbours) => queries.map((place) => images.id[place]);
    expect(asked((await browse({ seed: 2 })).found)).not.toEqual(asked(first.found));
  });

  it("lays the images on one sheet, in the order in which they are named; none without images", async () => {
    const colour = (id: number) => [id, 255 - id, (id * 7) % 256];
    const images = writeImages(
      path("images.arrow"),
      Array.from(ids, (id, row) => ({
        id,
        split: "train" as const,
        label: labels[row],
        pixels: Array.from({ length: 64 }, () => colour(id)).flat(),
      })),
      { height: 8, width: 8, channels: 3, classes },
    );
    const { found, thumbnails } = await browse({}, { images });
    const { side, columns, count } = JSON.parse(readFileSync(join(thumbnails, "sheet.json"), "utf8"));
    expect(count).toBe(found.images.id.length);
    const { data, info } = await sharp(join(thumbnails, "sheet.webp"))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info.width).toBe(columns * side);
    for (const [place, id] of found.images.id.entries()) {
      const [x, y] = [(place % columns) * side + side / 2, Math.floor(place / columns) * side + side / 2];
      const at = (y * info.width + x) * info.channels;
      for (const [channel, value] of colour(id).entries())
        expect(Math.abs(data[at + channel] - value)).toBeLessThan(24); // WebP loses a little
    }
    expect(readdirSync((await browse()).thumbnails)).toEqual([]);
  });

  it("says which image is missing", async () => {
    const few = writeImages(path("few.arrow"), [{ id: 100, split: "train", label: 0, pixels: [0] }], {
      classes,
    });
    await expect(browse({}, { images: few })).rejects.toThrow(/image \d+ is missing/);
    await expect(browse({}, { vectors: [], codes: [] })).rejects.toThrow(/neither vectors nor codes/);
  });
});
