import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { splitCategories } from "../../../stages/shared/artifacts/categories.ts";
import { readSplit, writeSplit } from "../../../stages/shared/artifacts/split.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../../run-stage.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const blobs = { classes: 3, perClass: 40, dim: 4, noise: 1 };
const folder = mkdtempSync(join(tmpdir(), "deephash-sample-"));
const features = join(folder, "features.arrow");
const split = join(folder, "split.arrow");
writeBlobs(features, blobs);
writeBlobSplit(split, blobs);

const sample = (params: object, exclude?: number[]) => {
  const file = join(folder, "exclude.json");
  if (exclude) writeFileSync(file, JSON.stringify(exclude));
  return runStage("sample", {
    params: { train: 5, validation: 3, query: 2, ...params },
    inputs: { features, split, ...(exclude ? { exclude: file } : {}) },
  });
};

describe("sample", () => {
  it("draws so many of each class and role, with their own features and roles", async () => {
    const { outputs } = await sample({});
    const [all, few] = [readVectors(features), readVectors(outputs.features)];
    const [before, after] = [readSplit(split), readSplit(outputs.split)];
    expect(few.rows).toBe(30);
    for (const [i, id] of few.ids.entries()) {
      const row = id - 100;
      expect(few.labels[i]).toBe(all.labels[row]);
      for (let d = 0; d < 4; d++) expect(few.values[4 * i + d]).toBeCloseTo(all.values[4 * row + d], 2);
      for (const role of ["train", "validation", "query", "database"] as const)
        expect(after[role][i]).toBe(before[role][row]);
    }
    for (const [role, count] of [
      ["train", 5],
      ["validation", 3],
      ["query", 2],
    ] as const)
      for (let label = 0; label < 3; label++)
        expect(after[role].filter((flag, i) => flag && after.labels[i] === label)).toHaveLength(count);
  });

  it("leaves out excluded images, and gives the same bytes for the same seed", async () => {
    const first = await sample({});
    const drawn = [...readVectors(first.outputs.features).ids];
    const without = await sample({}, drawn.slice(0, 4));
    expect(
      [...readVectors(without.outputs.features).ids].filter((id) => drawn.slice(0, 4).includes(id)),
    ).toEqual([]);
    const again = await sample({});
    for (const name of ["features", "split"])
      expect(readFileSync(again.outputs[name]).equals(readFileSync(first.outputs[name]))).toBe(true);
  });

  it("keeps the categories of the classes, of a split that has some", async () => {
    expect(splitCategories((await sample({})).outputs.split)).toEqual({});
    const grouped = join(folder, "grouped.arrow");
    const { classes } = readVectors(features);
    const categories = ["pets", "farm", "pets"];
    writeSplit(grouped, { ...readSplit(split), protocol: "official", seed: 1 }, { classes, categories });
    const params = { train: 5, validation: 3, query: 2 };
    const { outputs } = await runStage("sample", { params, inputs: { features, split: grouped } });
    expect(splitCategories(outputs.split)).toEqual({ categories });
  });

  it("says when a class has too few", async () => {
    await expect(sample({ query: 11 })).rejects.toThrow(
      'sample: class "class-0" has 10 images in "query", but 11 are wanted. Take fewer.',
    );
  });
});
