/** An index is written only where it can be read again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeNames } from "../../search/index/rows.ts";
import { scratch } from "../stages/shared/scratch.ts";

test("names that are too long to be read again are refused", () => {
  const photos = Array.from({ length: 10_001 }, (_, i) => ({ root: 0, name: `é${i}`, class: "" }));
  const path = join(scratch(), "names.json");
  const text = `${JSON.stringify(
    photos.map(({ name }) => name),
    null,
    1,
  )}\n`;
  const bytes = Buffer.byteLength(text);
  writeNames(path, photos, bytes);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(() => writeNames(path, photos, bytes - 1)).toThrow(/^index: the names of 10001 images/);
});
