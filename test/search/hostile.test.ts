/** Indexes that were cut, swapped, replaced or made to do harm: each ends in one clear line. */
import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { build } from "../../search/index/build.ts";
import { readProjection, writeProjection } from "../../stages/shared/artifacts/projection.ts";
import { FILES, folderOf, readRecipe, seal, UNSEALED } from "../../stages/shared/search-index.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { FILTERS, makeWorld, type World } from "./world.ts";

let world: World;
let at: World["at"];
let index: string;
let data: string;
/** The standard output and the standard error. */
const out: string[] = [];
const err: string[] = [];

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(20, 6);
  ({ at } = world);
  await build(["photos"], { like: world.index, bits: 6, out: "own" }, world.folder, world.folder);
});
beforeEach(() => {
  out.splice(0);
  index = at("copy");
  rmSync(index, { recursive: true, force: true });
  cpSync(at("own"), index, { recursive: true });
  data = join(index, folderOf(readRecipe(index).files));
});
afterEach(() => {
  out.splice(0);
  err.splice(0);
});

const search = (...more: string[]) =>
  main(["search", "photos/cat/0.png", "--index", index, ...more], world.folder, world.folder);

/** Changes an index and gives it the hashes that belong to it, as whoever means harm would. */
async function resealed(change: (data: string) => void | Promise<void>, recipe: object = {}): Promise<void> {
  renameSync(data, join(index, UNSEALED));
  rmSync(join(index, UNSEALED, FILES.list));
  await change(join(index, UNSEALED));
  const { format, encoder, files, ...own } = JSON.parse(readFileSync(join(index, FILES.recipe), "utf8"));
  await seal(index, { ...own, ...recipe });
}

async function refused(message: RegExp): Promise<void> {
  expect(await search()).toBe(2);
  expect(err).toHaveLength(1);
  expect(err[0]).toMatch(message);
  expect(err[0]).not.toContain("\n");
  expect(out).toEqual([]);
}

const edit = (file: string, change: (json: Record<string, unknown>) => void) => {
  const json = JSON.parse(readFileSync(file, "utf8"));
  change(json);
  writeFileSync(file, JSON.stringify(json));
};

describe("an index is refused", () => {
  const files = [
    FILES.backbone,
    FILES.projection,
    FILES.codes,
    FILES.outputs,
    FILES.contents,
    FILES.names,
    FILES.photos,
    FILES.list,
  ];
  test.each(files)("whose %s was cut, changed, removed or is a link", async (file) => {
    const path = join(data, file);
    const whole = readFileSync(path);
    truncateSync(path, whole.length >> 1);
    await refused(new RegExp(file));
    err.splice(0);
    whole[whole.length >> 1] ^= 1;
    writeFileSync(path, whole);
    await refused(new RegExp(file));
    err.splice(0);
    rmSync(path);
    await refused(new RegExp(file));
    err.splice(0);
    symlinkSync("/dev/zero", path);
    await refused(new RegExp(file));
  });

  test("whose files are those of another index", async () => {
    await build(["photos/cat"], { like: world.index, bits: 6, out: "cats" }, world.folder, world.folder);
    out.splice(0);
    const other = join(at("cats"), folderOf(readRecipe(at("cats")).files));
    for (const file of [FILES.codes, FILES.names]) cpSync(join(other, file), join(data, file));
    await refused(/codes\.arrow: .*the index was made with/);
    err.splice(0);
    cpSync(join(other, FILES.list), join(data, FILES.list));
    await refused(/not the list of this index/);
  });

  test.each<[string, (json: Record<string, unknown>) => void, RegExp]>([
    [
      "backbone",
      (json) => Object.assign(json.backbone as object, { mean: [9, 9, 9] }),
      /not those that the index was made with/,
    ],
    [
      "views",
      (json) => Object.assign(json, { views: [{ size: 32, flip: true }] }),
      /not those that the index was made with/,
    ],
    [
      "encoder",
      (json) => Object.assign(json, { encoder: "0".repeat(64) }),
      /not those that the index was made with/,
    ],
    ["number of images", (json) => Object.assign(json, { images: 1e9 }), /it tells of 1000000000 images/],
    ["classes", (json) => Object.assign(json, { classes: ["dog", "cat"] }), /or of other classes/],
    ["bits", (json) => Object.assign(json, { bits: 512 }), /512 bits/],
    ["head", (json) => Object.assign(json, { head: true }), /model\/head\.json: the index has no such file/],
    ["format", (json) => Object.assign(json, { format: 99 }), /format 99; this one reads 3/],
    [
      "everything",
      (json) => {
        for (const name of Object.keys(json)) delete json[name];
      },
      /not a file of "index"/,
    ],
  ])("whose index.json tells of another %s", async (_, change, message) => {
    edit(join(index, FILES.recipe), change);
    await refused(message);
  });

  test("that is of the version without outputs", async () => {
    edit(join(index, FILES.recipe), (json) => {
      delete json.format;
      delete json.files;
    });
    await refused(/another version \(format 1; .* Make the index again/);
  });

  test.each([
    "../../etc/passwd",
    "/etc/passwd",
    "cat/../../x.png",
    "..",
    "a\0b.png",
  ])("in which an image is called %j", async (name) => {
    await resealed((to) => edit(join(to, FILES.names), (names) => Object.assign(names, { 0: name })));
    await refused(/is not below the folder of the images/);
  });

  test("with too few names, or names that are no texts", async () => {
    await resealed((to) => writeFileSync(join(to, FILES.names), '["one"]'));
    await refused(/1 names, but the index has 20 images/);
    err.splice(0);
    data = join(index, folderOf(readRecipe(index).files));
    await resealed((to) => writeFileSync(join(to, FILES.names), "[1, 2]"));
    await refused(/names\.json: not a file of "index-names"/);
  });

  test("whose projection has weights that are no numbers, or of another length", async () => {
    await resealed((to) => {
      const path = join(to, FILES.projection);
      const projection = readProjection(path);
      projection.weights[3] = Number.NaN;
      writeProjection(path, projection);
    });
    await refused(/projection\.arrow: weights are missing or not finite/);
  });

  test("whose network gives values that are no numbers", async () => {
    const kernel = new Float32Array(FILTERS * 27).fill(Number.NaN);
    const network = tinyNetwork({ kernel, bias: new Float32Array(FILTERS), filters: FILTERS });
    await resealed((to) => writeFileSync(join(to, FILES.backbone), network));
    await refused(/not finite/);
  });

  test.each([
    FILES.codes,
    FILES.outputs,
    FILES.projection,
  ])("whose %s is no such file, though its hash is right", async (file) => {
    await resealed((to) => {
      const path = join(to, file);
      const whole = readFileSync(path);
      // Counts in the header that promise more than there is.
      for (let i = 200; i < whole.length - 200; i++) whole[i] = 0xff;
      writeFileSync(path, whole);
    });
    expect(await search()).toBe(2);
    expect(err).toHaveLength(1);
  });

  test("whose contents are of fewer images", async () => {
    await resealed((to) => truncateSync(join(to, FILES.contents), 16));
    await refused(/contents\.bin is of another number of images/);
  });
});
