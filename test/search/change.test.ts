/** An index that follows its folders: new, changed, moved and gone images, and only what must be is encoded. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { Encoder } from "../../search/encoder.ts";
import { build } from "../../search/index/build.ts";
import { addToIndex, removeFromIndex, updateIndex } from "../../search/index/change.ts";
import { replace } from "../../search/index/place.ts";
import { fileOf, openIndex, openWith } from "../../search/opened.ts";
import { readRecipe } from "../../stages/shared/search-index.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let at: World["at"];
const out: string[] = [];
const err: string[] = [];
const encode = vi.spyOn(Encoder.prototype, "outputs");
/** Images that went through the network since the last question. */
const encoded = () => {
  const count = encode.mock.calls.reduce((sum, [, count]) => sum + count, 0);
  encode.mockClear();
  return count;
};

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(12, 6);
  ({ at } = world);
});

/** Long enough ago that a change has another time. */
const LONG_AGO = new Date("2020-01-01");
function settle(folder: string) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), LONG_AGO, LONG_AGO);
}

const run = (...args: string[]) => main(args, world.folder, world.folder);
/** The files that the index has, from the world's folder. */
const files = async (index = "own") => {
  const opened = await openIndex(at(index));
  return Array.from(opened.names!, (_, row) => fileOf(opened, row)!.slice(world.folder.length + 1));
};
const photos = (folder: string) =>
  readdirSync(at(folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".png"))
    .map((name) => join(folder, name));
/** Whether the index is, image by image, the one that is made of the folders at once. */
async function expectSameAsNew(...folders: string[]): Promise<void> {
  rmSync(at("new"), { recursive: true, force: true });
  await build(folders, { like: world.index, bits: 6, out: "new" }, world.folder, world.folder);
  const [own, fresh] = [await openIndex(at("own")), await openIndex(at("new"))];
  for (const part of ["names", "roots", "contents", "outputs"] as const)
    expect(own[part], part).toEqual(fresh[part]);
  expect(own.codes).toEqual(fresh.codes);
  expect(own.recipe.encoder).toBe(fresh.recipe.encoder);
}

beforeEach(async () => {
  for (const name of ["mine", "own", "more"]) rmSync(at(name), { recursive: true, force: true });
  cpSync(at("photos"), at("mine"), { recursive: true });
  settle(at("mine"));
  // The change time of a copy is now: the index is made as if some time had passed.
  vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
  await build(["mine"], { like: world.index, bits: 6, out: "own" }, world.folder, world.folder);
  encoded();
  out.splice(0);
});
afterEach(() => {
  vi.mocked(Date.now).mockRestore?.();
  out.splice(0);
  err.splice(0);
});

describe("index update", () => {
  test("does nothing where nothing changed", async () => {
    const before = readRecipe(at("own"));
    expect(await run("index", "update", "--index", "own")).toBe(0);
    expect(out).toEqual([`${at("own")}: up to date, 12 images.`]);
    expect(readRecipe(at("own"))).toEqual(before);
    expect(encoded()).toBe(0);
  });

  test("counts a copy as new, and encodes nothing for it", async () => {
    copyFileSync(at("mine/cat/0.png"), at("mine/dog/copy.png"));
    expect(await run("index", "update", "--index", "own")).toBe(0);
    expect(out.pop()).toBe(`${at("own")}: 1 new, 12 unchanged.`);
    rmSync(at("mine/dog/copy.png"));
    expect(await run("index", "update", "--index", "own")).toBe(0);
    expect(out.pop()).toBe(`${at("own")}: 1 gone, 12 unchanged.`);
    expect(encoded()).toBe(0);
  });

  test("counts a file that was overwritten with another one as changed", async () => {
    copyFileSync(at("mine/cat/0.png"), at("mine/cat/10.png"));
    expect(await run("index", "update", "--index", "own")).toBe(0);
    expect(out.pop()).toBe(`${at("own")}: 1 changed, 11 unchanged.`);
    expect(encoded()).toBe(0);
  });

  test("encodes new and changed images alone, and drops those that are gone", async () => {
    await sharp(at("mine/cat/0.png")).negate().toFile(at("mine/dog/new.png"));
    await sharp(at("mine/cat/10.png")).negate().toFile(at("mine/other.png"));
    renameSync(at("mine/other.png"), at("mine/cat/10.png"));
    rmSync(at("mine/dog/5.png"));
    renameSync(at("mine/cat/20.png"), at("mine/cat/moved.png"));
    expect(await run("index", "update", "--index", "own")).toBe(0);
    expect(out).toEqual([`${at("own")}: 1 new, 1 changed, 1 moved, 2 gone, 9 unchanged.`]);
    expect(encoded()).toBe(2);
    expect((await files()).sort()).toEqual(photos("mine").sort());
    await expectSameAsNew("mine");
  });

  test("reads a file whose time was too recent to tell a later change", async () => {
    vi.mocked(Date.now).mockReturnValue(Math.ceil(statSync(at("mine/cat/0.png")).ctimeMs));
    await build(["mine"], { like: world.index, bits: 6, out: "own" }, world.folder, world.folder);
    const [one, other] = ["mine/cat/0.png", "mine/cat/10.png"].map((name) => readFileSync(at(name)));
    const size = Math.max(one.length, other.length);
    const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
    writeFileSync(at("mine/cat/0.png"), padded(one));
    settle(at("mine"));
    await updateIndex(at("own"), [], world.folder);
    writeFileSync(at("mine/cat/0.png"), padded(other)); // the same size and, below, the same time
    settle(at("mine"));
    await updateIndex(at("own"), [], world.folder);
    await expectSameAsNew("mine");
  });

  test("leaves out an image that became unreadable, and does not try it for ever", async () => {
    writeFileSync(at("mine/cat/0.png"), "no image");
    expect(await updateIndex(at("own"), [], world.folder, 1)).toMatchObject({ failed: 1, images: 11 });
    expect(err.join("\n")).toMatch(/0\.png: unreadable image .* left out/);
    expect(await files()).not.toContain("mine/cat/0.png");
  });

  test("goes round by round, and an end after any round leaves an index of the finished rounds", async () => {
    for (const name of ["a", "b", "c"])
      await sharp(at("mine/cat/0.png"))
        .tint({ r: 9, g: name.charCodeAt(0), b: 200 })
        .negate()
        .rotate(90)
        .toFile(at(`mine/dog/${name}.png`));
    encode.mockImplementationOnce(async () => new Float32Array(6).fill(1));
    encode.mockImplementationOnce(() => Promise.reject(new Error("as if killed")));
    await expect(updateIndex(at("own"), [], world.folder, 1)).rejects.toThrow("as if killed");
    expect(await files()).toHaveLength(13);
    encoded();
    await updateIndex(at("own"), [], world.folder, 1);
    expect(encoded()).toBe(2);
    expect(await files()).toHaveLength(15);
  });

  test("moves its folders", async () => {
    renameSync(at("mine"), at("more"));
    expect(await run("index", "update", "--index", "own")).toBe(2);
    expect(err.pop()).toMatch(/mine: no such folder\. If it has moved.*--root/);
    expect(await run("index", "update", "--index", "own", "--root", "nowhere")).toBe(2);
    expect(err.pop()).toMatch(/nowhere is no folder/);
    expect(await run("index", "update", "--index", "own", "--root", "mine=more")).toBe(0);
    expect(encode).not.toHaveBeenCalled();
    expect((await files()).every((name) => name.startsWith("more/"))).toBe(true);
    await expectSameAsNew("more");
  });

  test("does not take an empty folder, as of a disk that is not mounted, for one whose images are gone", async () => {
    rmSync(at("mine"), { recursive: true });
    mkdirSync(at("mine"));
    expect(await run("index", "update", "--index", "own")).toBe(2);
    expect(err.pop()).toMatch(/none of its 12 images is there\. Is its disk mounted\?/);
    expect(await files()).toHaveLength(12);
  });
});

describe("index add and index remove", () => {
  beforeEach(() => {
    mkdirSync(at("more/fox"), { recursive: true });
    cpSync(at("photos/cat/0.png"), at("more/fox/copy.png"));
  });

  test("add a folder and take it out again", async () => {
    await sharp(at("photos/cat/0.png")).negate().toFile(at("more/fox/new.png"));
    expect(await run("index", "add", "more", "--index", "own")).toBe(0);
    expect(encoded()).toBe(1); // the copy is known
    expect(await files()).toHaveLength(14);
    await expectSameAsNew("mine", "more");
    rmSync(at("more"), { recursive: true });
    expect(await run("index", "remove", "more", "--index", "own")).toBe(0);
    await expectSameAsNew("mine");
  });

  test("removed paths stay out until they are added again", async () => {
    await removeFromIndex(at("own"), ["mine/dog"], world.folder);
    const cats = await files();
    expect(cats.every((name) => name.startsWith("mine/cat/"))).toBe(true);
    await updateIndex(at("own"), [], world.folder);
    expect(await files()).toEqual(cats);
    await expect(addToIndex(at("own"), ["mine/dog/5.png"], [], world.folder)).rejects.toThrow(
      /was removed together with .*mine\/dog/,
    );
    await addToIndex(at("own"), ["mine/dog"], [], world.folder);
    await expectSameAsNew("mine");
  });

  test("takes single images, and leaves out what --exclude names", async () => {
    await addToIndex(at("own"), ["more/fox/copy.png"], [], world.folder);
    expect(await files()).toContain("more/fox/copy.png");
    await removeFromIndex(at("own"), ["more/fox/copy.png"], world.folder);
    expect(readRecipe(at("own")).roots).toEqual([{ path: at("mine") }]);
    expect(
      await run("index", "add", "mine", "--exclude", "dog/", "--exclude", "1*.png", "--index", "own"),
    ).toBe(0);
    expect((await files()).sort()).toEqual(
      photos("mine")
        .filter((name) => !/dog|\/1[^/]*$/.test(name))
        .sort(),
    );
  });

  test.each<[string, string[], RegExp]>([
    ["all of it", ["remove", "mine"], /would have no image left/],
    ["what it has not", ["remove", "more"], /more: the index has no image there\. It has those of .*mine/],
    ["a folder around its own", ["add", "."], /holds .*mine, of which the index has images already/],
    ["a missing folder", ["add", "nowhere"], /nowhere: no such file or folder/],
    ["the folder of the index", ["add", "own"], /one inside the other/],
    ["a pattern without a sign", ["add", "more", "--exclude", " "], /--exclude needs a pattern/],
  ])("refuses %s in one line, and the index stays", async (_, args, message) => {
    const before = readRecipe(at("own"));
    expect(await run("index", ...args, "--index", "own")).toBe(2);
    expect(err).toHaveLength(1);
    expect(err[0]).toMatch(message);
    expect(readRecipe(at("own"))).toEqual(before);
    expect(readdirSync(at("own"))).toHaveLength(2);
  });

  test("refuses the index of a pipeline", async () => {
    await expect(updateIndex(world.index, [], world.folder)).rejects.toThrow(
      /of a data set, which a pipeline/,
    );
  });
});

test("a search that begins while an index is replaced reads the old one or the new one", async () => {
  let attempts = 0;
  const [index] = await openWith(at("own"), async () => {
    if (++attempts > 1) return;
    rmSync(at("mine/dog/5.png"));
    await updateIndex(at("own"), [], world.folder);
    await (await openIndex(at("own"))).files.path("codes.arrow");
    throw new Error("a file of the old one is gone");
  });
  expect(attempts).toBe(2);
  expect(index.recipe.images).toBe(11);
  await expect(openWith(at("own"), () => Promise.reject(new Error("another reason")))).rejects.toThrow(
    "another reason",
  );
});

test("a folder that another process indexes is not touched", async () => {
  await replace(at("own"), async () => {
    await expect(updateIndex(at("own"), [], world.folder)).rejects.toThrow(
      /another npm run index is at work/,
    );
    return false;
  });
  expect(existsSync(at("own/index.json"))).toBe(true);
});

test("an option of a part of index that npm took is told", async () => {
  vi.stubEnv("npm_lifecycle_event", "index");
  vi.stubEnv("npm_config_root", "elsewhere");
  expect(await run("index", "update", "--index", "own")).toBe(2);
  vi.unstubAllEnvs();
  expect(err).toEqual([
    expect.stringMatching(/npm took --root for itself\..*npm run index -- --root=elsewhere/),
  ]);
});
