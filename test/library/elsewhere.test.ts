/** A program on the library runs in a folder of its own, without the schemas of the package. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { readSplit } from "../../library/data.ts";
import { scratch } from "../stages/shared/scratch.ts";

test("tables are read in any folder", () => {
  const file = resolve("stages/sample/split.arrow");
  const own = process.cwd();
  process.chdir(scratch());
  try {
    expect(readSplit(file).ids.length).toBeGreaterThan(100);
  } finally {
    process.chdir(own);
  }
});
