import { join } from "node:path";
import { expect, test } from "vitest";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
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
