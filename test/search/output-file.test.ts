/** Files that a person names for results: nothing that is theirs is replaced, nothing half a file is left. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { makeWorld, type World } from "./world.ts";

const QUERY = "photos/cat/0.png";
let world: World;
const out: string[] = [];
const err: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(12, 6);
  writeFileSync(world.at("notes.txt"), "mine");
  mkdirSync(world.at("folder.npy"));
  symlinkSync("nowhere", world.at("dangling.npy"));
  symlinkSync("notes.txt", world.at("link.npy"));
});
afterEach(() => {
  out.splice(0);
  err.splice(0);
});
const run = (...args: string[]) => main(args, world.folder, world.folder);
const commands: [string, (file: string) => Promise<number>][] = [
  ["search: --html", (file) => run("search", QUERY, "--index", world.index, "--html", file)],
  ["duplicates: --html", (file) => run("duplicates", "photos", "--html", file)],
  ["export: --out", (file) => run("export", "--index", world.index, "--out", file)],
];

describe.each(commands)("%s", (option, write) => {
  test.each<[string, RegExp]>([
    ["folder.npy", /is a folder\. Name a file\.$/],
    ["dangling.npy", /is a link to nothing\. Name another file\.$/],
    ["link.npy", /is there already\. Name /],
    ["no/such.npy", /no folder .*\/no can be found\. Make it, or name a file in another\.$/],
    ["notes.txt/x.npy", /notes\.txt is a file, not a folder\. Name a file in a folder\.$/],
  ])("refuses %s before any work, and leaves it as it is", async (name, message) => {
    expect(await write(name)).toBe(2);
    expect(out).toEqual([]);
    expect(err).toEqual([expect.stringMatching(message)]);
    expect(err[0].startsWith(`${option} ${world.at(name)}`)).toBe(true);
    expect(readFileSync(world.at("notes.txt"), "utf8")).toBe("mine");
    expect(readlinkSync(world.at("dangling.npy"))).toBe("nowhere");
    expect(readlinkSync(world.at("link.npy"))).toBe("notes.txt");
  });
});

test.each(commands.slice(0, 2))("%s replaces a page of its own, and no other file", async (option, write) => {
  const photo = readFileSync(world.at(QUERY));
  const again = `${option.split(":")[0]}.html`;
  for (const name of [QUERY, "notes.txt"]) {
    expect(await write(name)).toBe(2);
    expect(err.pop()).toMatch(/is there already\. Name a new file: only a page of an earlier search/);
  }
  expect(readFileSync(world.at(QUERY))).toEqual(photo);
  expect(await write(again)).toBe(0);
  const page = readFileSync(world.at(again), "utf8");
  writeFileSync(world.at(again), page.replace("</html>", ""));
  expect(await write(again)).toBe(0);
  expect(readFileSync(world.at(again), "utf8")).toBe(page);
  writeFileSync(world.at(again), "<!doctype html><p>mine");
  expect(await write(again)).toBe(2);
});

test.each([
  ["search", QUERY, "--html"],
  ["export", "--out"],
])("%s puts nothing into the folder of the index", async (...args) => {
  const [data] = readdirSync(world.index).filter((name) => name.startsWith("data-"));
  for (const place of [world.index, `${world.index}/${data}`]) {
    expect(await run(...args, `${place}/codes.npy`, "--index", world.index)).toBe(2);
    expect(err.pop()).toMatch(/is in the folder of the index/);
    expect(existsSync(`${place}/codes.npy`)).toBe(false);
  }
});

test("export --force replaces no file of the index through a link", async () => {
  const [data] = readdirSync(world.index).filter((name) => name.startsWith("data-"));
  const [file] = readdirSync(`${world.index}/${data}`).filter((name) => /^codes\./.test(name));
  const before = readFileSync(`${world.index}/${data}/${file}`);
  symlinkSync(`${world.index}/${data}/${file}`, world.at("into.npy"));
  expect(await run("export", "--index", world.index, "--out", "into.npy", "--force")).toBe(2);
  expect(err.pop()).toMatch(/is in the folder of the index/);
  expect(readFileSync(`${world.index}/${data}/${file}`)).toEqual(before);
});

test("a missing index is told by every command, with a file named beside it", async () => {
  for (const args of [
    ["search", QUERY, "--html", "x.html"],
    ["duplicates", "--html", "x.html"],
    ["export", "--out", "x.npy"],
  ]) {
    expect(await run(...args, "--index", "nowhere")).toBe(2);
    expect(err.pop()).toMatch(/no index \(index\.json is missing\)/);
  }
});

test("a page keeps the mode of the one it replaces, and goes into an empty file or a device", async () => {
  writeFileSync(world.at("private.html"), "", { mode: 0o600 });
  const write = (file: string) => run("search", QUERY, "--index", world.index, "--html", file);
  for (let round = 0; round < 2; round++) {
    expect(await write("private.html")).toBe(0);
    expect(statSync(world.at("private.html")).mode & 0o777).toBe(0o600);
  }
  expect(readFileSync(world.at("private.html"), "utf8")).toMatch(/^<!doctype html>/);
  expect(await write("/dev/null")).toBe(0);
});

test("a page that was written before pages had a mark is replaced", async () => {
  const write = () => run("duplicates", "photos", "--html", "earlier.html");
  expect(await write()).toBe(0);
  const page = readFileSync(world.at("earlier.html"), "utf8");
  writeFileSync(
    world.at("earlier.html"),
    page.replace('<meta name="generator" content="DeepHash">', "").replace(/\d+ groups? of/, "3 groups of"),
  );
  expect(await write()).toBe(0);
  expect(readFileSync(world.at("earlier.html"), "utf8")).toBe(page);
});

test("export --force replaces the target of a link, and keeps the link", async () => {
  writeFileSync(world.at("old.npy"), "old");
  symlinkSync("old.npy", world.at("to-old.npy"));
  expect(await run("export", "--index", world.index, "--out", "to-old.npy", "--force")).toBe(0);
  expect(readlinkSync(world.at("to-old.npy"))).toBe("old.npy");
  expect(readFileSync(world.at("old.npy")).subarray(1, 6).toString()).toBe("NUMPY");
  expect(readdirSync(world.folder).filter((name) => name.includes("scratch"))).toEqual([]);
});
