import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { changedBetween, stampsOf } from "../../../runner/files/stamps.ts";

let folder: string;
const at = (path: string) => join(folder, path);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "deephash-stamps-"));
  mkdirSync(at("in/deep"), { recursive: true });
  for (const path of ["in/a", "in/deep/b", "v1", "v2"]) writeFileSync(at(path), "3");
  mkdirSync(at("d1"));
  mkdirSync(at("d2"));
  for (const path of ["d1/f", "d2/f"]) writeFileSync(at(path), "3");
  symlinkSync("v1", at("current"));
  symlinkSync("current", at("latest"));
  symlinkSync("d1", at("data"));
  symlinkSync("../latest", at("in/linked"));
  await sleep(20); // more than one tick of the file system's clock
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Points a link elsewhere and back. */
const flip = (path: string, other: string, first: string) => {
  for (const target of [other, first]) {
    symlinkSync(target, at(`${path}.new`));
    renameSync(at(`${path}.new`), at(path));
  }
};

test.each<[string, string, () => void, string[]]>([
  ["nothing", "in", () => {}, []],
  [
    "a file that changes and changes back",
    "in/a",
    () => {
      writeFileSync(at("in/a"), "4");
      writeFileSync(at("in/a"), "3");
    },
    ["in/a"],
  ],
  [
    "the same, with its time put back",
    "in",
    () => {
      writeFileSync(at("in/deep/b"), "4");
      writeFileSync(at("in/deep/b"), "3");
      utimesSync(at("in/deep/b"), 1e9, 1e9);
    },
    ["in/deep/b"],
  ],
  [
    "a file of a folder that is replaced by another",
    "in",
    () => {
      writeFileSync(at("in/deep/new"), "3");
      renameSync(at("in/deep/new"), at("in/deep/b"));
    },
    ["in/deep/b"],
  ],
  [
    "a file that comes and goes",
    "in",
    () => {
      writeFileSync(at("in/deep/new"), "3");
      rmSync(at("in/deep/new"));
    },
    ["in/deep"],
  ],
  ["a link that is pointed elsewhere and back", "current", () => flip("current", "v2", "v1"), ["current"]],
  ["the same behind another link", "latest", () => flip("current", "v2", "v1"), ["current"]],
  ["the same behind a link within a folder", "in", () => flip("current", "v2", "v1"), ["current"]],
  ["a link on the way to a file", "data/f", () => flip("data", "d2", "d1"), ["data"]],
  ["something beside", "in/a", () => writeFileSync(at("in/beside"), ""), []],
])("%s", async (_, input, change, changed) => {
  const before = stampsOf([at(input)]);
  expect(changedBetween(before, stampsOf([at(input)]))).toEqual([]);
  change();
  expect(changedBetween(before, stampsOf([at(input)])).map((path) => relative(folder, path))).toEqual(
    changed,
  );
});
