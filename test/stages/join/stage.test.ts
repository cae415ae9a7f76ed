import { join } from "node:path";
import { expect, test } from "vitest";
import { packSets } from "../../../stages/shared/artifacts/label-sets.ts";
import { readVectors, writeVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobs } from "../vectors.ts";

const folder = scratch();
const [narrow, wide, noisy, few] = ["narrow", "wide", "noisy", "few"].map((name) =>
  join(folder, `${name}.arrow`),
);
writeBlobs(narrow, { classes: 3, perClass: 4, dim: 2, noise: 0.1 });
writeBlobs(wide, { classes: 3, perClass: 4, dim: 5, noise: 0.1 });
writeBlobs(noisy, { classes: 3, perClass: 4, dim: 5, noise: 0.9 });
writeBlobs(few, { classes: 3, perClass: 3, dim: 5, noise: 0.1 });
const files = (...paths: string[]) => paths.map((path) => ({ path, id: path }));

test("vectors are side by side, in the order of the inputs", async () => {
  const { outputs, notes } = await runStage("join", { inputs: { vectors: files(wide, narrow) } });
  const [joined, first, second] = [outputs.vectors, wide, narrow].map(readVectors);
  expect(notes.dim).toBe(7);
  expect(joined).toMatchObject({ dim: 7, ids: first.ids, labels: first.labels, classes: first.classes });
  for (let row = 0; row < joined.rows; row++) {
    const expected = [
      ...first.values.slice(row * 5, row * 5 + 5),
      ...second.values.slice(row * 2, row * 2 + 2),
    ];
    for (const [d, value] of expected.entries()) expect(joined.values[row * 7 + d]).toBeCloseTo(value, 2); // float16 has three digits
  }
});

test("other images are refused", async () => {
  await expect(runStage("join", { inputs: { vectors: files(wide, few) } })).rejects.toThrow(
    /few\.arrow has 9 images, the first input 12/,
  );
});

test("the mean is as long as one of them", async () => {
  const { outputs } = await runStage("join", {
    params: { how: "mean" },
    inputs: { vectors: files(wide, noisy) },
  });
  const [joined, first, second] = [outputs.vectors, wide, noisy].map(readVectors);
  expect(joined.dim).toBe(5);
  for (const [i, value] of joined.values.entries())
    expect(value).toBeCloseTo((first.values[i] + second.values[i]) / 2, 2);
  await expect(
    runStage("join", { params: { how: "mean" }, inputs: { vectors: files(wide, narrow) } }),
  ).rejects.toThrow(/narrow\.arrow has 2 values a vector, the first input 5/);
});

/** A table of images numbered from `first` on, of two values each. */
function shard(
  name: string,
  first: number,
  given: { classes?: string[]; labels?: number[][]; half?: boolean } = {},
) {
  const { classes = ["a", "b", "c"], labels, half } = given;
  const path = join(folder, `${name}.arrow`);
  const ids = Uint32Array.from({ length: 3 }, (_, row) => first + row);
  const values = Float32Array.from({ length: 6 }, (_, i) => first + i / 4);
  writeVectors(
    path,
    {
      ids,
      labels: Uint16Array.from(labels ?? [[0], [1], [2]], ([lowest]) => lowest),
      ...(labels && { sets: packSets(labels, classes.length) }),
      vector: half ? new Uint16Array(6).fill(0x3c00) : values, // ones
      dim: 2,
    },
    { classes, backbone: "one" },
  );
  return path;
}
const appended = (...paths: string[]) =>
  runStage("join", { params: { how: "append" }, inputs: { vectors: files(...paths) } });

test("shards are one after the other, with their numbers and values", async () => {
  const { outputs } = await appended(shard("first", 10), shard("second", 0, { half: true }));
  const joined = readVectors(outputs.vectors);
  expect([...joined.ids]).toEqual([10, 11, 12, 0, 1, 2]);
  expect([...joined.labels]).toEqual([0, 1, 2, 0, 1, 2]);
  expect([...joined.values]).toEqual([10, 10.25, 10.5, 10.75, 11, 11.25, 1, 1, 1, 1, 1, 1]);
  expect(joined.metadata).toMatchObject({ backbone: "one", how: "append", joined: [{}, {}] });
});

test("shards with and without several labels", async () => {
  const { outputs } = await appended(shard("one", 0), shard("several", 3, { labels: [[0, 2], [1], [2]] }));
  expect([...readVectors(outputs.vectors).sets!]).toEqual([1, 2, 4, 5, 2, 4]);
});

test.each<[string, () => string[], string]>([
  [
    "an image in two shards",
    () => [shard("zero", 0), shard("overlapping", 2)],
    'image 2 of .*overlapping.arrow is there before. Number the images of each shard apart: download takes "first"',
  ],
  [
    "other classes",
    () => [shard("zero", 0), shard("fewer", 3, { classes: ["a", "b", "d"] })],
    'fewer.arrow has other classes than the first input: it has no class "c"',
  ],
  [
    "classes in another order",
    () => [shard("zero", 0), shard("turned", 3, { classes: ["b", "a", "c"] })],
    "they are in another order. Give every shard all of them, in one order",
  ],
  [
    "vectors of another length",
    () => [shard("zero", 0), wide],
    "wide.arrow has 5 values a vector, the first input 2",
  ],
])("%s: refused", async (_, paths, message) => {
  await expect(appended(...paths())).rejects.toThrow(new RegExp(message));
});
