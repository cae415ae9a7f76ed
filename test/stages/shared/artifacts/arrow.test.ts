import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bool, Float16, Float32, type Table, Uint16, Uint32, Utf8 } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import {
  bytesColumn,
  createTable,
  flags,
  numbers,
  readBatches,
  readMetadata,
  readTable,
  texts,
  writeTable,
} from "../../../../stages/shared/artifacts/arrow.ts";
import { narrow, widen } from "../../../../stages/shared/artifacts/half.ts";
import { createVectors, readVectors } from "../../../../stages/shared/artifacts/vectors.ts";
import { scratch } from "../scratch.ts";
import { type TestImage, writeImages } from "./image-table.ts";

const folder = scratch();
const at = (name: string) => join(folder, name);

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
/** The float32 right above (1) or below (-1) in size. */
const next = (value: number, step: number): number => {
  float[0] = value;
  bits[0] += step;
  return float[0];
};

describe("float16", () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const floats = widen(halves);

  it("widens by the definition of IEEE 754 binary16", () => {
    // Sign, exponent with bias 15, ten bits of fraction; worked out from the text of a binary number.
    for (const half of halves) {
      const digits = half.toString(2).padStart(16, "0");
      const exponent = Number.parseInt(digits.slice(1, 6), 2);
      const fraction = Number.parseInt(digits.slice(6), 2);
      const sign = digits[0] === "1" ? -1 : 1;
      const value =
        exponent === 31
          ? fraction
            ? Number.NaN
            : sign * Number.POSITIVE_INFINITY
          : exponent === 0
            ? sign * 2 ** -14 * (fraction / 1024)
            : sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
      if (!Object.is(floats[half], value)) expect([half, floats[half]]).toEqual([half, value]);
    }
    expect([...widen(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555))]).toEqual([
      1,
      -2,
      65_504,
      2 ** -24,
      0.333251953125,
    ]);
  });

  it("narrows each of the 65,536 halves to itself", () => {
    const back = narrow(floats);
    for (const half of halves) {
      const none = (half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0;
      if (none) expect(Number.isNaN(widen(back.subarray(half, half + 1))[0])).toBe(true);
      else if (back[half] !== half) expect([half, back[half]]).toEqual([half, half]);
    }
  });

  it("rounds to the nearest half, ties to even, between all neighbours", () => {
    for (let half = 0; half < 0x7bff; half++) {
      const [low, high] = [floats[half], floats[half + 1]];
      const middle = (low + high) / 2; // exact in float32
      const even = half % 2 === 0 ? half : half + 1;
      const got = narrow(
        Float32Array.of(next(low, 1), next(middle, -1), middle, next(middle, 1), next(high, -1), -middle),
      );
      const wanted = [half, half, even, half + 1, half + 1, even | 0x8000];
      if (got.join() !== wanted.join()) expect([half, ...got]).toEqual([half, ...wanted]);
    }
  });

  it("goes to infinity half a step above the largest half, and to zero below half the smallest", () => {
    const cases: [number, number][] = [
      [65_504, 0x7bff],
      [next(65_520, -1), 0x7bff],
      [65_520, 0x7c00],
      [-65_520, 0xfc00],
      [3e38, 0x7c00],
      [Number.NEGATIVE_INFINITY, 0xfc00],
      [2 ** -25, 0],
      [next(2 ** -25, 1), 1],
      [-(2 ** -25), 0x8000],
      [1e-45, 0],
      [-0, 0x8000],
    ];
    for (const [value, half] of cases)
      expect([value, ...narrow(Float32Array.of(value))]).toEqual([value, half]);
  });
});

describe("tables", () => {
  const rows = (count: number): TestImage[] =>
    Array.from({ length: count }, (_, i) => ({
      id: 7 * i + 3,
      split: i % 3 ? "train" : "test",
      label: i % 2,
      pixels: [i, 2 * i, 255 - i, 0, 1, 2].map((value) => value & 255),
    }));
  const shape = { height: 1, width: 2, channels: 3, classes: ["ä b", "c"] };

  it("gives back the written table, with any number of record batches", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 50 }), (count, batch) => {
        const images = rows(count);
        const path = writeImages(at("images.arrow"), images, { ...shape, batch });
        const table = readTable(path, "images");
        expect(table.numRows).toBe(count);
        if (count === 0) return;
        expect(table.batches).toHaveLength(Math.ceil(count / batch));
        expect([...numbers(table, "id")]).toEqual(images.map(({ id }) => id));
        expect([...numbers<Uint16Array>(table, "label")]).toEqual(images.map(({ label }) => label));
        expect(texts(table, "split")).toEqual(images.map(({ split }) => split));
        const pixels = [...table.getChild("pixels")!].map((row) => [...(row as Uint8Array)]);
        expect(pixels).toEqual(images.map((image) => Array.from(image.pixels)));
      }),
      { numRuns: 30 },
    );
  });

  it("keeps metadata as JSON, and text as text", () => {
    const path = writeImages(at("metadata.arrow"), rows(3), { ...shape, dataset: "a set" });
    expect(readMetadata(readTable(path, "images"))).toEqual({ ...shape, dataset: "a set" });
  });

  it("packs truth values at any length", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 70 }), (values) => {
        const column = Uint8Array.from(values, Number);
        const path = at("flags.arrow");
        writeTable(
          path,
          "split",
          {
            id: new Uint32(),
            label: new Uint16(),
            train: new Bool(),
            validation: new Bool(),
            query: new Bool(),
            database: new Bool(),
          },
          values.length,
          {
            id: new Uint32Array(values.length),
            label: new Uint16Array(values.length),
            train: column,
            validation: new Uint8Array(values.length),
            query: column.map((flag) => 1 - flag),
            database: new Uint8Array(values.length).fill(1),
          },
          { protocol: "none", seed: 1 },
        );
        const table = readTable(path, "split");
        expect([...flags(table, "train")]).toEqual([...column]);
        expect([...flags(table, "query")]).toEqual([...column].map((flag) => 1 - flag));
        expect(flags(table, "validation").includes(1)).toBe(false);
        expect(flags(table, "database").includes(0)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it("keeps only one record batch in hand when it reads them one by one", async () => {
    const path = writeImages(at("batches.arrow"), rows(25), { ...shape, batch: 10 });
    const counts: number[] = [];
    const ids: number[] = [];
    for await (const batch of readBatches(path, "images")) {
      counts.push(batch.numRows);
      ids.push(...numbers(batch as unknown as Table, "id"));
    }
    expect(counts).toEqual([10, 10, 5]);
    expect(ids).toEqual(rows(25).map(({ id }) => id));
    // Left half way, the file is closed as well: more often than a process may have files open.
    for (let i = 0; i < 50; i++) for await (const _ of readBatches(path, "images")) break;
    const open = spawnSync("ls", [`/proc/${process.pid}/fd`], { encoding: "utf8" }).stdout.split("\n").length;
    expect(open).toBeLessThan(70);
  });

  it("is read by another reader of Arrow where one is installed", (context) => {
    const reader = spawnSync("python3", ["-c", "import pyarrow"]);
    if (reader.status !== 0) return context.skip();
    const path = writeImages(at("other.arrow"), rows(5), { ...shape, batch: 2 });
    const said = execFileSync(
      "python3",
      [
        "-c",
        "import sys, pyarrow.ipc as i; t = i.open_file(sys.argv[1]).read_all(); print(t['id'].to_pylist())",
        path,
      ],
      { encoding: "utf8" },
    );
    expect(said.trim()).toBe(
      `[${rows(5)
        .map(({ id }) => id)
        .join(", ")}]`,
    );
  });
});

describe("a file that is no good", () => {
  const good = writeImages(
    at("good.arrow"),
    Array.from({ length: 20 }, (_, id) => ({ id, split: "train" as const, label: 0, pixels: [id] })),
    { classes: ["a"], batch: 6 },
  );
  const whole = readFileSync(good);
  const message = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).not.toContain("\n");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };

  it("is named when it is truncated, wherever that is", async () => {
    const path = at("cut.arrow");
    for (let length = 0; length < whole.length; length += length < 40 ? 1 : 97) {
      writeFileSync(path, whole.subarray(0, length));
      const wanted = length < 6 ? /cut\.arrow: not an Arrow file/ : /cut\.arrow: truncated/;
      expect(message(() => readTable(path, "images"))).toMatch(wanted);
      const all = (async () => {
        for await (const _ of readBatches(path, "images"));
      })();
      await expect(all).rejects.toThrow(wanted);
    }
  });

  it("is named when its middle is gone", async () => {
    const path = at("hole.arrow");
    writeFileSync(path, Buffer.concat([whole.subarray(0, 100), whole.subarray(-200)]));
    expect(message(() => readTable(path, "images"))).toMatch(/hole\.arrow: a corrupt Arrow file/);
    const all = (async () => {
      for await (const _ of readBatches(path, "images"));
    })();
    await expect(all).rejects.toThrow(/hole\.arrow: a corrupt Arrow file/);
  });

  it("is named when it is something else", () => {
    writeFileSync(at("text"), "id,label\n1,2\n");
    expect(message(() => readTable(at("text"), "images"))).toContain("not an Arrow file");
  });

  it("is named when its columns are others", () => {
    expect(message(() => readTable(good, "split"))).toMatch(/good\.arrow: not a file of "split"/);
    expect(
      message(() =>
        createTable(at("x"), "vectors", { id: new Uint32(), label: new Uint16(), vector: new Utf8() }),
      ),
    ).toContain('not a file of "vectors"');
    const columns = {
      id: new Uint32(),
      split: new Utf8(),
      label: new Uint16(),
      pixels: bytesColumn(1),
      extra: new Bool(),
    };
    const metadata = { dataset: "d", height: 1, width: 1, channels: 1, classes: ["a"] };
    expect(message(() => createTable(at("x"), "images", columns, metadata))).toContain('"extra"');
  });
});

describe("vectors", () => {
  const write = (precision: "float16" | "float32", values: number[], labels = [0, 1], batch = 1) => {
    const path = at(`${precision}.arrow`);
    const dim = values.length / labels.length;
    const table = createVectors(path, dim, precision, { classes: ["a", "b"], head: "none" });
    for (let row = 0; row < labels.length; row += batch) {
      const part = Float32Array.from(values.slice(row * dim, (row + batch) * dim));
      table.write(part.length / dim, {
        id: Uint32Array.from(labels.slice(row, row + batch), (_, i) => 10 * (row + i)),
        label: Uint16Array.from(labels.slice(row, row + batch)),
        vector: precision === "float16" ? narrow(part) : part,
      });
    }
    table.close();
    return path;
  };

  it("come back row by row, in float32", () => {
    for (const batch of [1, 2, 3]) {
      const values = [0.5, -1, 2, 65_504, 2 ** -24, 0];
      for (const precision of ["float16", "float32"] as const) {
        const { ids, labels, rows, dim, classes, metadata, ...read } = readVectors(
          write(precision, values, [1, 0, 1], batch),
        );
        expect([...read.values]).toEqual(values);
        expect([rows, dim, [...ids], [...labels]]).toEqual([3, 2, [0, 10, 20], [1, 0, 1]]);
        expect(classes).toEqual(["a", "b"]);
        expect(metadata).toEqual({ classes, head: "none" });
      }
    }
  });

  it("have the type that the artifact names", () => {
    const type = (precision: "float16" | "float32") =>
      String(readTable(write(precision, [1, 2]), "vectors").getChild("vector")!.type);
    expect([type("float16"), type("float32")]).toEqual([
      `FixedSizeList[1]<${new Float16()}>`,
      `FixedSizeList[1]<${new Float32()}>`,
    ]);
  });

  it("are refused with any value that is not finite, wherever it is among many", () => {
    const [rows, dim] = [2, 6000];
    for (const precision of ["float16", "float32"] as const)
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        for (const place of [0, 4095, 4096, rows * dim - 1]) {
          const values = Array.from({ length: rows * dim }, (_, i): number => (i % 2 ? 65504 : -65504));
          values[place] = value;
          expect(() => readVectors(write(precision, values))).toThrow(
            `has ${value} at position ${place % dim} of its vector`,
          );
        }
  });

  it("are refused with a value that is not finite, or a label outside the classes", () => {
    expect(() => readVectors(write("float32", [1, 2, 3, Number.NaN]))).toThrow(
      /image 10 has NaN at position 1 of its vector/,
    );
    expect(() => readVectors(write("float16", [1, Number.POSITIVE_INFINITY, 3, 4]))).toThrow(
      /image 0 has Infinity at position 1/,
    );
    expect(() => readVectors(write("float32", [1, 2, 3, 4], [0, 2]))).toThrow(
      /image 10 has label 2, but there are 2 classes \(0 to 1\)/,
    );
  });
});
