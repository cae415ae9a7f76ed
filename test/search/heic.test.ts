/** HEIC photographs, which sharp does not decode: counted and told by every command, and none crashes. */
import { writeFileSync } from "node:fs";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
const out: string[] = [];
const err: string[] = [];
const boxOf = (name: string, content: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(8 + content.length);
  return Buffer.concat([length, Buffer.from(name + content, "latin1")]);
};
const heic = (brands: string) => Buffer.concat([boxOf("ftyp", brands), boxOf("mdat", "")]);

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(12, 6);
  writeFileSync(world.at("photos/cat/one.heic"), heic("heic\0\0\0\0mif1heic"));
  writeFileSync(world.at("photos/cat/two.jpg"), heic("heic\0\0\0\0mif1heic"));
  writeFileSync(world.at("photos/dog/three.png"), heic("mif1\0\0\0\0mif1heic"));
}, 60_000);
afterEach(() => {
  out.splice(0);
  err.splice(0);
});
const run = (...args: string[]) => main(args, world.folder, world.folder);

/** The lines about files that are HEIC under another ending, and the one that counts those by the ending. */
function expectTold(): void {
  expect(err.filter((line) => line.includes("HEIC photograph"))).toEqual([
    expect.stringMatching(/^! .*cat\/two\.jpg: .*cannot be decoded here: convert it to JPEG/),
    expect.stringMatching(/^! .*dog\/three\.png: .*cannot be decoded here: convert it to JPEG/),
  ]);
  expect(err.filter((line) => line.includes("1 .heic"))).toEqual([
    expect.stringMatching(
      /^! .*photos: 1 file is no image by the ending: 1 \.heic\. HEIC cannot be decoded here/,
    ),
  ]);
  for (const line of err) expect(line).not.toContain("\n");
}

test("index leaves them out", async () => {
  expect(await run("index", "photos", "--like", world.index, "--out", "own")).toBe(0);
  expectTold();
  expect(out).toEqual([expect.stringMatching(/12 images, 6 bits each; 2 could not be read\. Search it/)]);
});

test("search passes over them in a folder, and refuses one alone", async () => {
  expect(await run("search", "photos", "--index", world.index, "--json")).toBe(2);
  expectTold();
  expect(JSON.parse(out.join("\n"))).toHaveLength(12);
  err.splice(0);
  for (const name of ["photos/cat/one.heic", "photos/cat/two.jpg"]) {
    expect(await run("search", name, "--index", world.index)).toBe(2);
    expect(err).toEqual([expect.stringMatching(/it is a HEIC photograph, .* convert it to JPEG/)]);
    err.splice(0);
  }
});

test("duplicates compares the others", async () => {
  expect(await run("duplicates", "photos")).toBe(2);
  expectTold();
});
