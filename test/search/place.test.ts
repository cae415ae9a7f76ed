/** Where an index may go, and that nothing of a person's is lost there, whenever the process dies. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { updateIndex } from "../../search/index/change.ts";
import { checkPlace, replace } from "../../search/index/place.ts";
import { folderOf, IndexFiles, readList, readRecipe } from "../../stages/shared/search-index.ts";
import { scratch } from "../stages/shared/scratch.ts";
import { fillIndex } from "./filled.ts";

/** Earlier files are safe from a power cut; the clock of files lags behind this much. */
const SETTLED_MILLISECONDS = 10;

let folder: string;
let at: (...names: string[]) => string;
beforeEach(() => {
  folder = scratch();
  at = (...names) => join(folder, ...names);
  mkdirSync(at("photos"));
});
const put = (images = 1, photos = at("photos"), out = at("out")) =>
  replace(out, (half) => fillIndex(half, photos, images));
const dataOf = (out = at("out")) => join(out, folderOf(readRecipe(out).files));

/** The number of images in index.json, every file of it being intact. */
async function wholeIndex(out: string): Promise<number> {
  const recipe = readRecipe(out);
  const files = new IndexFiles(out, recipe);
  for (const name of Object.keys(readList(dataOf(out), recipe.files))) await files.path(name);
  return recipe.images;
}

describe("an index may not go", () => {
  test.each<[string, () => void, RegExp]>([
    [
      "among a person's files",
      () => writeFileSync(at("out", "diary.txt"), "dear"),
      /something else.*diary\.txt/,
    ],
    [
      "over a person's index.json",
      () => writeFileSync(at("out", "index.json"), "{}"),
      /something else.*index\.json/,
    ],
    [
      "over a link",
      () => symlinkSync(at("photos"), at("out", "data-0123456789abcdef")),
      /something else.*data-/,
    ],
    [
      "over a folder of that name",
      () => mkdirSync(at("out", "data-0123456789abcdef/x"), { recursive: true }),
      /something else.*data-/,
    ],
  ])("%s", async (_, make, message) => {
    mkdirSync(at("out"));
    make();
    const before = readdirSync(at("out"), { recursive: true });
    await expect(checkPlace(at("out"), [at("photos")], true)).rejects.toThrow(message);
    expect(readdirSync(at("out"), { recursive: true })).toEqual(before);
  });

  test("where the images are, around them or within them, also by a link", async () => {
    symlinkSync(at("photos"), at("link"));
    for (const out of [at("photos"), at("photos/index"), folder, at("link"), at("link/deeper/index")])
      await expect(checkPlace(out, [at("photos")], true)).rejects.toThrow(/one inside the other/);
    await checkPlace(at("photos-index"), [at("photos")], false); // a longer name is no folder within
  });

  test("over an index of other images, unless by force", async () => {
    await put();
    await checkPlace(at("out"), [at("photos")], false); // the same ones: an update
    mkdirSync(at("others"));
    await expect(checkPlace(at("out"), [at("others")], false)).rejects.toThrow(
      /1 images of .*photos\. .*--force/,
    );
    await checkPlace(at("out"), [at("others")], true);
  });

  test("over an index of which a file was changed, added or linked", async () => {
    await put();
    const codes = join(dataOf(), "codes.arrow");
    const text = readFileSync(codes);
    writeFileSync(codes, "mine now");
    await expect(checkPlace(at("out"), [at("photos")], true)).rejects.toThrow(/codes\.arrow/);
    rmSync(codes);
    symlinkSync(at("elsewhere"), codes);
    await expect(checkPlace(at("out"), [at("photos")], true)).rejects.toThrow(/codes\.arrow/);
    rmSync(codes);
    writeFileSync(codes, text);
    writeFileSync(join(dataOf(), "notes.txt"), "mine");
    await expect(checkPlace(at("out"), [at("photos")], true)).rejects.toThrow(/notes\.txt/);
  });

  test("where another process puts one", async () => {
    await expect(
      replace(at("out"), async () => {
        await put(2);
      }),
    ).rejects.toThrow(/another npm run index is at work/);
  });
});

test("an index is replaced whole, and nothing else is left", async () => {
  await put(1);
  const old = dataOf();
  await put(2);
  expect(await wholeIndex(at("out"))).toBe(2);
  expect(existsSync(old)).toBe(false);
  expect(readdirSync(at("out")).length).toBe(2);
  rmSync(join(dataOf(), "codes.arrow"));
  await put(2); // the same again: the missing file is there
  expect(await wholeIndex(at("out"))).toBe(2);
});

test("what a person puts into the old one while the new one is made stays", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  await put(1);
  const old = dataOf();
  const put2 = replace(at("out"), async (half) => {
    await fillIndex(half, at("photos"), 2);
    writeFileSync(join(old, "mine.txt"), "mine");
  });
  await expect(put2).rejects.toThrow(/mine\.txt/);
  expect(await wholeIndex(at("out"))).toBe(1);
  expect(readFileSync(join(old, "mine.txt"), "utf8")).toBe("mine");
  said.mockRestore();
});

test("a making that fails leaves nothing", async () => {
  await expect(replace(at("out"), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(at("out"))).toBe(false);
  await expect(replace(at("photos/deep/er"), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(readdirSync(folder)).toEqual(["photos"]);
  expect(readdirSync(at("photos"))).toEqual([]);
});

test("an update where no index is makes no folder", async () => {
  await expect(updateIndex(at("typo/deeper/photos"), [], folder)).rejects.toThrow(/photos: no index/);
  expect(readdirSync(folder)).toEqual(["photos"]);
});

test("killed at any call, or by a power cut, the old index or the new one is whole, and the next call ends well", async () => {
  const bundle = at("replacing.mjs");
  await build({
    entryPoints: ["test/search/replacing.ts"],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
    banner: { js: "import{createRequire as cjs}from'node:module';const require=cjs(import.meta.url);" },
  });
  await put(1, at("photos"), at("old"));
  const inject = resolve("test/runner/faults/inject.cjs");
  const replaceIn = (fault: object) =>
    spawnSync(process.execPath, ["--require", inject, bundle, at("room/out"), at("photos"), "2"], {
      encoding: "utf8",
      env: { ...process.env, DEEPHASH_FAULT: JSON.stringify(fault) },
    });
  const counts = new Set<number>();
  for (let n = 1, ended = 0; ended < 2; n++) {
    const kind = n % 3 === 0 ? "power" : "kill";
    rmSync(at("room"), { recursive: true, force: true });
    rmSync(at("trace"), { force: true });
    cpSync(at("old"), at("room/out"), { recursive: true });
    const since = Date.now() + SETTLED_MILLISECONDS;
    await sleep(2 * SETTLED_MILLISECONDS);
    const fault = { root: at("room"), trace: at("trace"), of: "runner", at: n, kind, since };
    const { signal, status, stderr } = replaceIn(fault);
    if (signal !== "SIGKILL") {
      expect(status, stderr).toBe(0);
      ended++;
    }
    counts.add(await wholeIndex(at("room/out")));
    await put(2, at("photos"), at("room/out"));
    expect(await wholeIndex(at("room/out")), `after ${kind} at call ${n}`).toBe(2);
    expect(readdirSync(at("room/out"))).toHaveLength(2);
  }
  expect(counts).toEqual(new Set([1, 2]));
}, 300_000);
