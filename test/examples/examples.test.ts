/** The examples run and print the expected lines; here on the library's sources, in CI on its build. */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { makeWorld } from "../search/world.ts";

const printed: string[] = [];
vi.spyOn(console, "log").mockImplementation((line) => printed.push(line));
afterEach(() => printed.splice(0));

test("there are five, and a walk whose code has a test of its own", () => {
  expect(readdirSync("examples").sort()).toEqual([
    "index.mjs",
    "own-images.mjs",
    "own-loss.mjs",
    "retrieval.mjs",
    "siamese-triplet.md",
    "train.mjs",
  ]);
});

test("from data to a map takes thirty lines", async () => {
  const lines = readFileSync("examples/train.mjs", "utf8").split("\n");
  expect(lines.filter((line) => line.trim() && !line.startsWith("//")).length).toBeLessThanOrEqual(30);
  process.argv = [...process.argv.slice(0, 2), "30"];
  await import("../../examples/train.mjs" as string);
  const [, map, accuracy] = /^mAP (\S+), (\S+) % right/m.exec(printed.join("\n"))!;
  expect(Number(map)).toBeGreaterThan(0.3); // of ten classes
  expect(Number(accuracy)).toBeGreaterThan(60);
  expect(Number(/trustworthiness (\S+)/.exec(printed.join("\n"))![1])).toBeGreaterThan(0.8);
}, 300_000);

test("a loss of one's own draws the classes apart", async () => {
  await import("../../examples/own-loss.mjs" as string);
  const [, first, last] = /from (\S+) to (\S+) in 100 steps/.exec(printed.join("\n"))!;
  expect(Number(last)).toBeLessThan(0.8 * Number(first));
});

test("retrieval from a script finds the query's class, by scan and by tables alike", async () => {
  await import("../../examples/retrieval.mjs" as string);
  expect(printed.slice(0, 5).every((line) => line.includes("class 3"))).toBe(true);
  expect(printed[5]).toBe("Tables find the same: true.");
  expect(Number(/Average precision (\S+),/.exec(printed[6])![1])).toBeGreaterThan(0.5);
});

test("one's own images become an index, and one of them finds itself", async () => {
  const world = await makeWorld(12, 6);
  const own = process.cwd();
  const example = pathToFileURL(resolve("examples/index.mjs")).href;
  process.argv = [...process.argv.slice(0, 2), "photos", "photos/cat/0.png", world.index];
  process.chdir(world.folder);
  try {
    await import(example);
  } finally {
    process.chdir(own);
  }
  expect(printed[0]).toMatchObject({ images: 12, bits: 6, failed: 0 });
  expect(printed[2]).toMatch(/^0 of 6 bits .*photos\/cat\/0\.png$/);
}, 120_000);

test("one's own images become a pipeline", async () => {
  process.argv = process.argv.slice(0, 2);
  await import("../../examples/own-images.mjs" as string);
  expect(printed[0]).toContain("96 images in 8 classes, the smallest colour-0 with 12.");
  expect(printed[0]).toMatch(/^Run it: +npm run pipeline -- --pipeline \S+own\.pipeline\.yaml$/m);
}, 300_000);
