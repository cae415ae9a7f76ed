/** The table of contents finds one of many identical rows without a look at the others. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Contents } from "../../search/contents.ts";
import { compare } from "../../search/index/compare.ts";
import { Rows } from "../../search/index/rows.ts";
import { stampOf } from "../../search/index/stamp.ts";
import { CONTENT_BYTES } from "../../stages/shared/search-index.ts";
import { scratch } from "../stages/shared/scratch.ts";

const WIDTH = 16;

/** Bytes that count how often one is read, of their parts too. */
function counting(bytes: Uint8Array, count: { reads: number }): Uint8Array {
  return new Proxy(bytes, {
    get(target, name) {
      if (name === "subarray")
        return (from: number, to: number) => counting(target.subarray(from, to), count);
      count.reads++;
      return Reflect.get(target, name, target);
    },
  });
}

test("one of many identical rows takes as many reads as it has bytes", () => {
  const rows = 3000;
  const content = Uint8Array.from({ length: WIDTH }, (_, at) => at + 1);
  const other = content.with(WIDTH - 1, 0); // of the same first bytes
  const values = new Uint8Array(rows * WIDTH);
  for (let row = 0; row < rows; row++) values.set(row === 7 ? other : content, row * WIDTH);
  const count = { reads: 0 };
  const contents = new Contents(counting(values, count), WIDTH);
  count.reads = 0;
  expect(contents.row(content)).toBe(rows - 1);
  expect(contents.row(content, 3)).toBe(3);
  expect(contents.row(content, 7)).toBe(rows - 1);
  expect(count.reads).toBeLessThan(5 * WIDTH);
  expect(contents.row(other, 3)).toBe(7);
  expect(contents.row(new Uint8Array(WIDTH))).toBeUndefined();
  expect(contents.rows(content).size).toBe(rows - 1);
});

test("an update looks at each of many identical files once", () => {
  const folder = scratch();
  const files = 100;
  const rows = Rows.empty(8, files);
  for (let at = 0; at < files; at++) {
    const path = join(folder, `${at}.png`);
    writeFileSync(path, "the same");
    const photo = { root: 0, name: `${at}.png`, class: "" };
    rows.add(photo, { ...stampOf(path), modified: 1 }, new Uint8Array(CONTENT_BYTES)); // of another time
  }
  const count = { reads: 0 };
  rows.columns.sha256 = counting(rows.columns.sha256, count);
  const roots = [{ path: folder }];
  const { counts, images } = compare(rows, roots, { roots, scan: new Set([0]) }, files, new Set());
  expect(counts).toEqual({ new: 0, changed: 0, moved: 0, gone: 0 });
  expect(images.every(({ photo, row }) => photo.name === `${row}.png`)).toBe(true);
  expect(count.reads).toBeLessThan(files * 50);
});
