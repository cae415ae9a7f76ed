/** sample: a few images of each class, with their features and roles: small enough to ship with the project. */
import { readFileSync } from "node:fs";
import { defineStage, UserError } from "../../runner/stage.ts";
import { splitCategories } from "../shared/artifacts/categories.ts";
import { narrow } from "../shared/artifacts/half.ts";
import { type Roles, readSplit, rowsOf, writeSplit } from "../shared/artifacts/split.ts";
import { readVectors, writeVectors } from "../shared/artifacts/vectors.ts";
import { random } from "../shared/compute/random.ts";

interface Params {
  train: number;
  validation: number;
  query: number;
  seed: number;
}

export default defineStage<Params>({
  params: "sample",
  inputs: { features: "vectors", split: "split", exclude: { artifact: "ids", optional: true } },
  outputs: { features: "features.arrow", split: "split.arrow" },
  async run({ params, inputs, outputs }) {
    const vectors = readVectors(inputs.features);
    const split = readSplit(inputs.split);
    const categories = splitCategories(inputs.split);
    const excluded = new Set<number>(
      inputs.exclude ? JSON.parse(readFileSync(inputs.exclude, "utf8")) : undefined,
    );
    const { dim, classes, metadata } = vectors;
    const roleOf = new Map<number, "train" | "validation" | "query">();
    for (const role of ["train", "validation", "query"] as const) {
      const draw = random(params.seed, `sample ${role}`);
      for (const [label, name] of classes.entries()) {
        const eligible = rowsOf(split, role, vectors.ids, inputs.features).filter(
          (row) => vectors.labels[row] === label && !excluded.has(vectors.ids[row]),
        );
        if (eligible.length < params[role])
          throw new UserError(
            `sample: class "${name}" has ${eligible.length} images in "${role}", but ${params[role]} are wanted. Take fewer.`,
          );
        for (const row of draw.shuffle(eligible).subarray(0, params[role])) roleOf.set(row, role);
      }
    }
    const rows = [...roleOf.keys()].sort((a, b) => a - b);
    const ids = Uint32Array.from(rows, (row) => vectors.ids[row]);
    const labels = Uint16Array.from(rows, (row) => vectors.labels[row]);
    const values = new Float32Array(rows.length * dim);
    for (const [i, row] of rows.entries())
      values.set(vectors.values.subarray(row * dim, (row + 1) * dim), i * dim);
    writeVectors(outputs.features, { ids, labels, vector: narrow(values), dim }, metadata);
    const has = (...roles: string[]) =>
      Uint8Array.from(rows, (row) => (roles.includes(roleOf.get(row)!) ? 1 : 0));
    const roles: Roles = {
      train: has("train"),
      validation: has("validation"),
      query: has("query"),
      database: has("train", "validation"),
    };
    writeSplit(
      outputs.split,
      { ids, labels, ...roles, protocol: split.protocol, seed: split.seed },
      { classes, ...categories },
    );
  },
});
