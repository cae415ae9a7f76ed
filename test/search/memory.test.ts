/** The memory of an index of many images: columns, not an object for each image and each of its values. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, test } from "vitest";
import { Rows, writeRows } from "../../search/index/rows.ts";
import { Spill } from "../../search/index/spill.ts";
import { Names } from "../../search/names.ts";
import { narrow, widen } from "../../stages/shared/artifacts/half.ts";
import { CONTENT_BYTES, FILES } from "../../stages/shared/search-index.ts";

const [IMAGES, BITS] = [40_000, 64];
const folder = mkdtempSync(join(tmpdir(), "deephash-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Bytes that values of JavaScript and buffers take after a collection. */
function held(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const nameOf = (row: number) => `class-${row % 10}/IMG_${String(row).padStart(7, "0")}.jpg`;

function filled(): Rows {
  const rows = Rows.empty(BITS, IMAGES);
  const content = new Uint8Array(CONTENT_BYTES);
  const values = new Float32Array(BITS).fill(1);
  const sha256 = "0123456789abcdef".repeat(4);
  for (let row = 0; row < IMAGES; row++) {
    const photo = { root: 0, name: nameOf(row), class: "one" };
    rows.add(photo, { bytes: row, modified: row, sha256 }, content);
    rows.encode(values);
  }
  return rows;
}

test("an image that is indexed takes its columns, its name and little more", () => {
  const before = held();
  const rows = filled();
  // 200 bytes of columns: 2 numbers, a hash, a content, a code, and 64 outputs of float16.
  expect((held() - before) / IMAGES).toBeLessThan(400);
  expect(writeRows(folder, rows)).toEqual(["one"]);
  const names = Array.from({ length: IMAGES }, (_, row) => nameOf(row));
  expect(readFileSync(join(folder, FILES.names), "utf8")).toBe(`${JSON.stringify(names, null, 1)}\n`);
}, 60_000);

test("names take their letters, outside the heap that a collection of garbage walks", () => {
  collect();
  const { heapUsed } = process.memoryUsage();
  const made = () => new Names(Array.from({ length: IMAGES }, (_, row) => `ö-${nameOf(row)}`));
  const names = made();
  collect();
  expect((process.memoryUsage().heapUsed - heapUsed) / IMAGES).toBeLessThan(16);
  expect([names.length, names.at(0), names.at(IMAGES - 1)]).toEqual([
    IMAGES,
    `ö-${nameOf(0)}`,
    `ö-${nameOf(IMAGES - 1)}`,
  ]);
  expect([...names].slice(0, 2)).toEqual([`ö-${nameOf(0)}`, `ö-${nameOf(1)}`]);
});

test("features that are spilled come back, all of them or some, and their file goes", () => {
  const path = join(folder, "features");
  const spill = new Spill(path);
  const [rows, dim] = [9001, 3];
  const values = widen(narrow(Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i))));
  spill.add(values.subarray(0, 5000 * dim), 5000);
  spill.add(values.subarray(5000 * dim), rows - 5000);
  const blocks = [...spill.blocks()];
  expect(Buffer.concat(blocks.map((block) => Buffer.from(block.buffer)))).toEqual(Buffer.from(values.buffer));
  const some = Uint32Array.of(0, 3999, 4000, 8999, 9000);
  expect([...spill.pick(some)]).toEqual(
    [...some].flatMap((row) => [...values.subarray(row * dim, (row + 1) * dim)]),
  );
  spill.close();
  expect(() => readFileSync(path)).toThrow(/ENOENT/);
});
