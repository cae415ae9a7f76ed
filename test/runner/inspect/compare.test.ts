import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Field,
  FixedSizeList,
  Float32,
  makeData,
  makeVector,
  Table,
  tableToIPC,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compareFiles, ulps } from "../../../runner/inspect/compare.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-compare-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("units in the last place", () => {
  const next = (value: number): number => {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    view.setInt32(0, view.getInt32(0) + 1); // away from 0
    return view.getFloat32(0);
  };

  test.each([
    [[1], [1], { rows: 0, largest: 0 }],
    [[1], [next(1)], { rows: 1, largest: 1 }],
    [[0], [-0], { rows: 0, largest: 0 }],
    [[1e-45], [-1e-45], { rows: 1, largest: 2 }], // the smallest ones on both sides of 0
    [[1, 2, 3, 4], [1, 2, next(next(3)), next(4)], { rows: 1, largest: 2 }], // two in one row
    [[Number.NaN], [Number.NaN], { rows: 0, largest: 0 }],
    [[Number.NaN], [1], { rows: 1, largest: Number.POSITIVE_INFINITY }],
  ])("of float32 %j and %j", (before, after, expected) => {
    expect(ulps(Float32Array.from(before), Float32Array.from(after), 2)).toEqual(expected);
  });

  test("of float64 and float16", () => {
    expect(ulps(Float64Array.of(1, 2), Float64Array.of(1 + 3 * Number.EPSILON, 2))).toEqual({
      rows: 1,
      largest: 3,
    });
    // 1.0 and the float16 before it; the smallest ones on both sides of 0.
    expect(ulps(Uint16Array.of(0x3c00, 0x0001), Uint16Array.of(0x3bff, 0x8001))).toEqual({
      rows: 2,
      largest: 2,
    });
  });

  test("are as many as there are floats between", () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -3, max: 3 });
    fc.assert(
      fc.property(float, fc.nat(20), (start, steps) => {
        let at = start || 1e-45;
        for (let step = 0; step < steps; step++) at = next(at);
        expect(ulps(Float32Array.of(start || 1e-45), Float32Array.of(at)).largest).toBe(steps);
      }),
      { numRuns: 100 },
    );
  });
});

describe("two files", () => {
  const compare = (before: Uint8Array | string, after: Uint8Array | string) => {
    writeFileSync(join(folder, "before"), before);
    writeFileSync(join(folder, "after"), after);
    return compareFiles(join(folder, "before"), join(folder, "after"));
  };
  /** Two vectors of two numbers, and a word for each. */
  const table = (numbers: number[], words: string[], metadata: [string, string][] = []) => {
    const type = new FixedSizeList(2, new Field("item", new Float32()));
    const child = makeData({ type: new Float32(), data: Float32Array.from(numbers) });
    const vectors = new Vector([makeData({ type, length: 2, nullCount: 0, child })]);
    const made = new Table({
      vector: vectors,
      score: makeVector(Float64Array.from(numbers.slice(0, 2))),
      word: vectorFromArray(words),
    });
    for (const [key, value] of metadata) made.schema.metadata.set(key, value);
    return tableToIPC(made, "file");
  };

  test("of the same bytes", async () => {
    expect(await compare("abc", "abc")).toEqual([]);
  });
  test("that are no tables: where their bytes differ first", async () => {
    expect(await compare("abc", "abd")).toEqual(["bytes differ at 2 (3 bytes)"]);
    expect(await compare("abc", "abcd")).toEqual(["bytes differ at 3 (4 bytes, before 3)"]);
    expect(await compare("ARROW1 is no table", "ARROW1 is none")).toEqual([
      "bytes differ at 12 (14 bytes, before 18)",
    ]);
  });
  test("that are tables: rows and ULPs by column", async () => {
    const after = 2 + 2 ** -22;
    expect(await compare(table([1, 2, 3, 4], ["a", "b"]), table([1, after, 3, 4], ["a", "c"]))).toEqual([
      "vector differs in 1 of 2 rows, by at most 1 ULPs",
      `score differs in 1 of 2 rows, by at most ${2 ** 29} ULPs`,
      "word differs in 1 of 2 rows",
    ]);
  });
  test("that are tables of other shape, or other metadata", async () => {
    const one = tableToIPC(new Table({ score: makeVector(Float64Array.of(1)) }), "file");
    const two = tableToIPC(new Table({ score: makeVector(Float64Array.of(1, 2)) }), "file");
    expect(await compare(one, two)).toEqual(["2 rows of score: Float64, before 1 rows of score: Float64"]);
    expect(
      await compare(
        table([1, 2, 3, 4], ["a", "b"], [["seed", "1"]]),
        table([1, 2, 3, 4], ["a", "b"], [["seed", "2"]]),
      ),
    ).toEqual(['metadata "seed" differs']);
  });
});
