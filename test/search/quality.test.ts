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

test("an image finds itself, and the report has two columns for each index", () => {
  const args = ["search-quality", world.at("own"), world.at("own"), "--queries", "12", "--out"];
  const { status, stderr } = spawnSync(process.execPath, ["bench/run.mjs", ...args, world.at("report")], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const [one, other] = JSON.parse(readFileSync(world.at("report/quality.json"), "utf8"));
  expect(one).toMatchObject({ index: "own", images: 16, bits: 6, queries: 12 });
  expect(one.finds.itself).toEqual({ bits: { first: 12, among: 12 }, outputs: { first: 12, among: 12 } });
  expect(one.precision.bits).toBeGreaterThan(0);
  expect(other).toEqual(one);
  const lines = readFileSync(world.at("report/quality.md"), "utf8").split("\n");
  const table = lines.filter((line) => line.startsWith("|"));
  expect(table).toContain(`| the image by itself: first |${" 12 of 12 |".repeat(4)}`);
  for (const line of table) expect(line.split("|")).toHaveLength(7);
}, 120_000);
