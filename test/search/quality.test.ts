/** The report of the search's quality: indexes side by side, in Markdown and JSON. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, expect, test, vi } from "vitest";
import { build } from "../../search/index/build.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  world = await makeWorld(16, 6);
  await build(["photos"], { like: world.index, bits: 6, out: "own" }, world.folder, world.folder);
}, 60_000);

const report = (...args: string[]) =>
  spawnSync(process.execPath, ["bench/run.mjs", "search-quality", ...args, "--out", world.at("report")], {
    encoding: "utf8",
  });
const written = () => JSON.parse(readFileSync(world.at("report/quality.json"), "utf8"));

test("an image finds itself, and the report has two columns for each index", () => {
  const { status, stderr } = report(world.at("own"), world.at("own"), "--queries", "12");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const [one, other] = written();
  expect(one).toMatchObject({ index: "own", images: 16, bits: 6, queries: 12 });
  expect(one.finds.itself).toEqual({ bits: { first: 12, among: 12 }, outputs: { first: 12, among: 12 } });
  expect(one.precision.bits).toBeGreaterThan(0);
  expect(other).toEqual(one);
  const lines = readFileSync(world.at("report/quality.md"), "utf8").split("\n");
  const table = lines.filter((line) => line.startsWith("|"));
  expect(table).toContain(`| the image by itself: first |${" 12 of 12 |".repeat(4)}`);
  for (const line of table) expect(line.split("|")).toHaveLength(7);
}, 120_000);

test("indexes with rows in another order get the same queries, and titles that differ; few images are no error", async () => {
  const { folder, index } = world;
  await build(["photos/cat"], { like: index, out: "a/same" }, folder, folder);
  await build(["photos/dog", "photos/cat"], { like: index, out: "b/same" }, folder, folder);
  expect(report(world.at("a/same"), world.at("b/same"), "--queries", "3").stderr).toBe("");
  const [few, more] = written();
  expect([few.index, more.index]).toEqual(["a/same", "b/same"]);
  expect([few.images, more.images]).toEqual([8, 16]);
  expect([few.queries, more.queries]).toEqual([3, 3]);
  expect(few.precision).toEqual({ bits: 1, outputs: 1 }); // of one class
}, 120_000);

test("a number of queries that is none is refused in one line", () => {
  const { status, stderr } = report(world.at("own"), "--queries", "abc");
  expect(stderr).toBe("--queries abc: a whole number from 1 was expected.\n");
  expect(status).toBe(2);
}, 60_000);
