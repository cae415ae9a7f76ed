import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromIPC } from "@uwdata/flechette";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOf, packSigns, readCodes, writeCodes } from "../../../../stages/shared/artifacts/codes.ts";
import { scratch } from "../scratch.ts";

const folder = scratch();

test("signs become bits, the lowest first; 0 and -0 give 0", () => {
  const values = Float32Array.of(1, -1, 0, -0, 0.5, -2, -3, 7, 1e-30, -1);
  expect([...packSigns(values, 10)]).toEqual([0b10010001, 0b01]);
  expect([...packSigns(values, 5)]).toEqual([0b10001, 0b01100]);
});

test("written codes are read, at any length", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 512 }),
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.boolean()),
      (bits, rows, coin) => {
        const values = Float32Array.from({ length: rows * bits }, () => (coin.next().value ? 1 : -1));
        const path = join(folder, "codes.arrow");
        const codes = {
          ids: Uint32Array.from({ length: rows }, (_, i) => i + 7),
          labels: new Uint16Array(rows).fill(1),
          values: packSigns(values, bits),
          rows,
          bits,
          classes: ["cat", "dog"],
        };
        writeCodes(path, codes, { binariser: "sign" });
        const read = readCodes(path);
        expect(read.values).toEqual(codes.values);
        expect(read).toMatchObject({ rows, bits, classes: ["cat", "dog"], metadata: { binariser: "sign" } });
        for (let i = 0; i < values.length; i++) {
          const [row, bit] = [Math.floor(i / bits), i % bits];
          expect((read.values[row * bytesOf(bits) + (bit >> 3)] >> (bit & 7)) & 1).toBe(
            values[i] > 0 ? 1 : 0,
          );
        }
      },
    ),
    { numRuns: 30 },
  );
});

test("another implementation of Arrow reads the same bits", () => {
  const [bits, rows] = [19, 300];
  const values = Float32Array.from({ length: rows * bits }, (_, i) => ((i * 7919) % 13) - 6);
  const path = join(folder, "codes.arrow");
  writeCodes(
    path,
    {
      ids: Uint32Array.from({ length: rows }, (_, row) => 4_000_000_000 + row),
      labels: Uint16Array.from({ length: rows }, (_, row) => row % 2),
      values: packSigns(values, bits),
      rows,
      bits,
      classes: ["cat", "dog"],
    },
    { binariser: "sign" },
  );
  const table = tableFromIPC(readFileSync(path));
  expect(table.schema.fields.map(({ name, nullable }) => [name, nullable])).toEqual([
    ["id", false],
    ["label", false],
    ["code", false],
  ]);
  expect(table.getChild("code").type).toMatchObject({ stride: 3 });
  expect(Object.fromEntries(table.schema.metadata!)).toEqual({
    binariser: "sign",
    bits: "19",
    classes: '["cat","dog"]',
  });
  expect(table.numRows).toBe(rows);
  const [ids, labels, codes] = ["id", "label", "code"].map((name) => table.getChild(name).toArray());
  for (let row = 0; row < rows; row++) {
    expect([ids[row], labels[row]]).toEqual([4_000_000_000 + row, row % 2]);
    const found = Array.from({ length: 24 }, (_, bit) => (codes[row][bit >> 3] >> (bit & 7)) & 1);
    const signs = Array.from({ length: 24 }, (_, bit) => Number(bit < bits && values[row * bits + bit] > 0));
    expect(found).toEqual(signs);
  }
});

test("codes that do not fit their length are refused", () => {
  const one = { ids: Uint32Array.of(3), labels: Uint16Array.of(0), rows: 1, classes: ["cat"] };
  const path = join(folder, "codes.arrow");
  writeCodes(path, { ...one, values: Uint8Array.of(0b1000), bits: 3 });
  expect(() => readCodes(path)).toThrow(/image 3 has bits beyond its 3/);
  writeCodes(path, { ...one, values: Uint8Array.of(1, 0), bits: 12 });
  expect(readCodes(path).bits).toBe(12);
  writeCodes(path, { ...one, values: Uint8Array.of(1), labels: Uint16Array.of(4), bits: 8 });
  expect(() => readCodes(path)).toThrow(/label 4/);
  expect(() => writeCodes(path, { ...one, values: new Uint8Array(65), bits: 513 })).toThrow(/bits/);
});
