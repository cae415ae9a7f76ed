import { join } from "node:path";
import { expect, test } from "vitest";
import { readVectors } from "../../../stages/shared/tables.ts";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobs } from "../vectors.ts";

const folder = scratch();
const [narrow, wide, few] = ["narrow", "wide", "few"].map((name) => join(folder, `${name}.arrow`));
writeBlobs(narrow, { classes: 3, perClass: 4, dim: 2, noise: 0.1 });
writeBlobs(wide, { classes: 3, perClass: 4, dim: 5, noise: 0.1 });
writeBlobs(few, { classes: 3, perClass: 3, dim: 5, noise: 0.1 });
const files = (...paths: string[]) => paths.map((path) => ({ path, id: path }));

test("vectors stand side by side, in the order of the inputs", async () => {
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
