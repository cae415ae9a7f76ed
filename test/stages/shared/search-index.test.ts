import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRecipe } from "../../../stages/shared/search-index.ts";
import { scratch } from "./scratch.ts";

test("a place that is no index: nothing, an empty folder, a file", () => {
  const folder = scratch();
  const [nothing, empty, file] = ["nothing", "empty", "file"].map((name) => join(folder, name));
  mkdirSync(empty);
  writeFileSync(file, "");
  for (const place of [nothing, empty, file])
    expect(() => readRecipe(place)).toThrow(
      `${place}: no index (index.json is missing). Make one: npm run index`,
    );
});
