/** The folder of the page that searches by itself. `npm run test:page` opens it in a browser. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { beforeAll, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { FILES, thumbnailOf } from "../../search/page/format.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
const out: string[] = [];
const err: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(12, 6);
  await main(["index", "photos", "--like", world.index, "--out", "own"], world.folder, world.folder);
});
const page = (...args: string[]) => main(["page", ...args], world.folder, world.folder);

test("it holds all that the page needs, and nothing of where the images are on this machine", async () => {
  expect(await page("--index", "own", "--out", "site")).toBe(0);
  for (const file of Object.values(FILES)) expect(existsSync(world.at("site", file)), file).toBe(true);
  for (let row = 0; row < 12; row++) expect(existsSync(world.at("site", thumbnailOf(row)))).toBe(true);
  for (const file of Object.values(FILES))
    expect(readFileSync(world.at("site", file)).includes(world.folder), file).toBe(false);
  const html = readFileSync(world.at("site", FILES.page), "utf8");
  expect(html).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
  expect(html).not.toMatch(/(href|src)="\//); // at any path of a server
  for (const script of [FILES.script, FILES.worker])
    expect(readFileSync(world.at("site", script), "utf8")).not.toMatch(
      /apache-arrow|from"node:(fs|path|crypto)/,
    );
});

test("of a data set's images, it has those of its table", async () => {
  expect(await page("--index", world.index, "--out", "site-of-table")).toBe(0);
  expect(readdirSync(world.at("site-of-table/thumbnails/0")).length).toBe(12);
});

test.each<[string, RegExp]>([
  ["file.txt", /file\.txt is no folder\. Name a new folder/],
  ["file.txt/site", /file\.txt is a file, not a folder\. Name a new folder/],
  ["dangling", /dangling is a link to nothing\. Name a new folder/],
  ["own/site", /own\/site is in the folder of the index/],
])("it is not written to %s", async (out, message) => {
  writeFileSync(world.at("file.txt"), "mine");
  rmSync(world.at("dangling"), { force: true });
  symlinkSync("nowhere", world.at("dangling"));
  const before = readdirSync(world.at("own"));
  expect(await page("--index", "own", "--out", out)).toBe(2);
  expect(err.at(-1)).toMatch(message);
  expect(readFileSync(world.at("file.txt"), "utf8")).toBe("mine");
  expect(readdirSync(world.at("own"))).toEqual(before);
});

test("a folder that holds anything stays as it is", async () => {
  mkdirSync(world.at("mine"));
  writeFileSync(world.at("mine/notes.txt"), "mine");
  expect(await page("--index", "own", "--out", "mine")).toBe(2);
  expect(err.at(-1)).toMatch(/mine is there already and not empty\. Name another folder/);
  expect(readdirSync(world.at("mine"))).toEqual(["notes.txt"]);
  expect(readdirSync(world.folder).filter((name) => name.includes("page-"))).toEqual([]);
});
