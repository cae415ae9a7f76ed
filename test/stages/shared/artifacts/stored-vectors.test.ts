/** Rows that are taken one by one are those of the whole table. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readExamples } from "../../../../stages/shared/artifacts/examples.ts";
import { narrow } from "../../../../stages/shared/artifacts/half.ts";
import { readVectors, writeVectors } from "../../../../stages/shared/artifacts/vectors.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { scratch } from "../scratch.ts";

const [ROWS, DIM] = [9000, 6]; // three batches of a file, the last one shorter
const folder = scratch();
const draw = random(5, "stored");
const floats = Float32Array.from({ length: ROWS * DIM }, () => draw.normal());
const head = {
  ids: Uint32Array.from({ length: ROWS }, (_, row) => row + 7),
  labels: Uint16Array.from({ length: ROWS }, (_, row) => row % 3),
  dim: DIM,
};

function written(name: string, vector: Float32Array | Uint16Array): string {
  const path = join(folder, `${name}.arrow`);
  writeVectors(path, { ...head, vector }, { classes: ["a", "b", "c"], network: "none" });
  return path;
}

describe.each([
  ["float32", floats],
  ["float16", narrow(floats)],
])("%s", (name, vector) => {
  it.each([true, false])("rows, taken again: %s", (again) => {
    const path = written(name, vector);
    const { values } = readVectors(path);
    const { take } = readExamples(path, "features", undefined, again);
    for (const rows of [[0, 4095, 4096, 8191, 8192, 8999], [8999, 0, 0, 17], [4096, 4095], []])
      expect([...take(rows)]).toEqual(
        rows.flatMap((row) => [...values.subarray(row * DIM, (row + 1) * DIM)]),
      );
  });

  it("names a value that is not finite, wherever it is", () => {
    for (const at of [0, 4100 * DIM + 2, ROWS * DIM - 1])
      for (const invalid of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const spoiled = floats.slice();
        spoiled[at] = invalid;
        const path = written(`${name}-spoiled`, name === "float32" ? spoiled : narrow(spoiled));
        expect(() => readExamples(path, "features")).toThrow(
          `image ${Math.floor(at / DIM) + 7} has ${invalid} at position ${at % DIM} of its vector`,
        );
      }
  });
});
