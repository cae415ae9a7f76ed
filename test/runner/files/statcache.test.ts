import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { replaceFile } from "../../../runner/files/atomic.ts";
import { hashFile, StatCache, sha256 } from "../../../runner/files/statcache.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-stat-"));
  file = join(folder, "file");
  writeFileSync(file, "one");
});
afterEach(() => rmSync(folder, { recursive: true }));

const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

test("hashes are those of the content, also of files longer than one read", () => {
  expect(hashFile(file)).toBe(sha256("one"));
  const long = Buffer.alloc(3_000_001, "abc");
  writeFileSync(file, long);
  expect(hashFile(file)).toBe(sha256(long));
});

test("an unchanged file is not read again, a changed one is", async () => {
  await wait(150); // a file written just now is not trusted to stay
  const cache = new StatCache(join(folder, "stat.json"));
  expect(cache.hash(file)).toBe(sha256("one"));
  cache.save();
  // Another word in the cache shows whether it is taken.
  const known = readFileSync(join(folder, "stat.json"), "utf8");
  writeFileSync(join(folder, "stat.json"), known.replace(sha256("one"), sha256("from the cache")));
  const again = new StatCache(join(folder, "stat.json"));
  expect(again.hash(file)).toBe(sha256("from the cache"));
  writeFileSync(file, "two");
  expect(again.hash(file)).toBe(sha256("two"));
});

test("a change of the same length within one tick of the clock is seen", () => {
  const cache = new StatCache(join(folder, "stat.json"));
  for (const word of ["aaa", "bbb", "ccc", "ddd", "eee"]) {
    writeFileSync(file, word);
    expect(cache.hash(file)).toBe(sha256(word));
  }
});

test("a modification time that is put back does not hide a change", async () => {
  const time = new Date(1e12);
  utimesSync(file, time, time);
  await wait(150);
  const cache = new StatCache(join(folder, "stat.json"));
  expect(cache.hash(file)).toBe(sha256("one"));
  writeFileSync(file, "two");
  utimesSync(file, time, time);
  expect(cache.hash(file)).toBe(sha256("two"));
});

test("a cache that is cut off is none", () => {
  writeFileSync(join(folder, "stat.json"), '{"a": [');
  expect(new StatCache(join(folder, "stat.json")).hash(file)).toBe(sha256("one"));
});

test("a missing file is an error", () => {
  expect(() => new StatCache(join(folder, "stat.json")).hash(join(folder, "none"))).toThrow("ENOENT");
});

test("a file is replaced as a whole, and nothing is left when that fails", () => {
  replaceFile(file, "two");
  expect(readFileSync(file, "utf8")).toBe("two");
  replaceFile(join(folder, "new/deep/file"), "x");
  expect(() => replaceFile(join(folder, "new"), "x")).toThrow();
  appendFileSync(file, ".");
  expect(readdirSync(folder).sort()).toEqual(["file", "new"]);
});
