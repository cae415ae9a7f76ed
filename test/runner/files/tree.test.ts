import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stampsOf } from "../../../runner/files/stamps.ts";
import { sha256 } from "../../../runner/files/statcache.ts";
import { treeOf } from "../../../runner/files/tree.ts";
import { UserError } from "../../../runner/stage.ts";
import { Store } from "../../../runner/store/store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-tree-"));
  mkdirSync(join(folder, "in/deep"), { recursive: true });
  writeFileSync(join(folder, "in/a"), "a");
  writeFileSync(join(folder, "in/deep/b"), "b");
});
afterEach(() => rmSync(folder, { recursive: true }));

const given = () => treeOf(join(folder, "in"), "data");
const paths = () => given().files.map(({ path }) => path);
const link = (target: string, path: string) => symlinkSync(target, join(folder, "in", path));

describe("rejected entries, with the path and the next step", () => {
  test("a named pipe, wherever it is", () => {
    execFileSync("mkfifo", [join(folder, "in/deep/pipe"), join(folder, "pipe")]);
    expect(given).toThrow("data/deep/pipe is a named pipe. Only regular files and folders count: remove it.");
    expect(() => treeOf(join(folder, "pipe"), "pipe")).toThrow("pipe is a named pipe.");
    rmSync(join(folder, "in/deep/pipe"));
    link("../pipe", "linked");
    expect(given).toThrow("data/linked is a named pipe.");
  });
  test("a device", () => expect(() => treeOf("/dev/zero", "/dev/zero")).toThrow("/dev/zero is a device."));
  test("a socket", async () => {
    const server = createServer().listen(join(folder, "in/s"));
    await new Promise((done) => server.on("listening", done));
    expect(given).toThrow("data/s is a socket.");
    await new Promise((done) => server.close(done));
  });
  test("a broken link", () => {
    link("gone/away", "broken");
    expect(given).toThrow(
      "data/broken is a link to gone/away, which is not there. Restore that, or remove the link.",
    );
    link("a/below", "below-a-file");
    rmSync(join(folder, "in/broken"));
    expect(given).toThrow("data/below-a-file is a link to a/below, which is not there.");
  });
  test("links that point to each other", () => {
    link("two", "one");
    link("one", "two");
    expect(given).toThrow("data/one is a link that leads back to itself. Remove it.");
  });
  test("a missing file", () =>
    expect(() => treeOf(join(folder, "none"), "none")).toThrow("none is not there."));
  test("a name that is no UTF-8", () => {
    writeFileSync(Buffer.concat([Buffer.from(join(folder, "in/deep/caf")), Buffer.from([0xe9])]), "");
    expect(given).toThrow(
      'data/deep holds a file whose name is not UTF-8 ("caf\ufffd"). Rename it: records hold text.',
    );
    expect(given).toThrow(UserError);
  });
});

describe("links to folders", () => {
  test("count as the folder", () => {
    mkdirSync(join(folder, "elsewhere"));
    writeFileSync(join(folder, "elsewhere/c"), "c");
    link("../elsewhere", "linked");
    link("../elsewhere/c", "file");
    expect(paths()).toEqual(["a", "deep/b", "file", "linked/c"]);
  });
  test("each folder is listed once: a cycle ends", () => {
    link("..", "deep/up");
    link("deep", "again");
    const { files, again } = given();
    expect(files.map(({ path }) => path)).toEqual(["a", "again/b"]);
    expect(again).toEqual([
      ["again/up", ""],
      ["deep", "again"],
    ]);
  });
  test("many folders that link to each other take no more than their number", () => {
    const names = Array.from({ length: 30 }, (_, index) => `f${index}`);
    for (const name of names) mkdirSync(join(folder, "in", name));
    for (const name of names)
      for (const other of names) if (other !== name) link(`../${other}`, `${name}/${other}`);
    expect(paths()).toEqual(["a", "deep/b"]);
  });
  test("are in the hash: where one leads makes a difference", () => {
    const store = new Store(join(folder, "cache"));
    const hash = () => store.hashInput(join(folder, "in"));
    mkdirSync(join(folder, "in/z"));
    writeFileSync(join(folder, "in/z/z"), "z");
    const hashes = [hash()];
    for (const target of [".", "..", "../deep"]) {
      link(target, "z/link");
      hashes.push(hash());
      rmSync(join(folder, "in/z/link"));
    }
    expect(new Set(hashes).size).toBe(4);
    expect(hash()).toBe(hashes[0]);
  });
});

describe("a tolerant input", () => {
  const tolerant = () => treeOf(join(folder, "in"), "data", true);
  test("passes over what cannot be read, and tells it", () => {
    execFileSync("mkfifo", [join(folder, "in/deep/pipe")]);
    link("gone", "broken");
    link("self", "self");
    link("../..", "deep/up");
    link("/", "all");
    writeFileSync(Buffer.concat([Buffer.from(join(folder, "in/caf")), Buffer.from([0xe9])]), "");
    mkdirSync(Buffer.concat([Buffer.from(join(folder, "in/deep/d")), Buffer.from([0xe9])]));
    const { files, unread, folders } = tolerant();
    expect(files.map(({ path }) => path)).toEqual(["a", "deep/b"]);
    expect(folders).toHaveLength(2);
    expect(unread).toEqual([
      ["all", "points to a folder that contains this one"],
      ["broken", "refused"],
      ["caf\ufffd", "refused"],
      ["deep/d\ufffd", "ENOENT"],
      ["deep/pipe", "refused"],
      ["deep/up", "points to a folder that contains this one"],
      ["self", "refused"],
    ]);
  });
  test("has a hash that covers this, and else the hash it always had", () => {
    const store = new Store(join(folder, "cache"));
    const strict = store.hashInput(join(folder, "in"));
    store.tolerant.add(join(folder, "in"));
    expect(store.hashInput(join(folder, "in"))).toBe(strict);
    link("gone", "broken");
    const broken = store.hashInput(join(folder, "in"));
    expect(broken).not.toBe(strict);
    expect(stampsOf([join(folder, "in")], store.tolerant).size).toBeGreaterThan(3);
    rmSync(join(folder, "in/broken"));
    expect(store.hashInput(join(folder, "in"))).toBe(strict);
  });
  test("is there itself", () =>
    expect(() => treeOf(join(folder, "none"), "none", true)).toThrow("is not there"));
});

test("a file whose name only looks as if it were no UTF-8 is taken", () => {
  writeFileSync(join(folder, "in/\ufffd"), "");
  expect(paths()).toEqual(["a", "deep/b", "\ufffd"]);
});

test("a folder that holds the store is no input: every run would change it", () => {
  const store = new Store(join(folder, "in/cache"));
  mkdirSync(store.folder);
  link("..", "deep/up");
  for (const path of ["in", "in/deep"])
    expect(() => store.hashInput(join(folder, path))).toThrow("holds the store (");
});

test("the hash of a folder is that of its paths and contents, as it always was", () => {
  const store = new Store(join(folder, "cache"));
  expect(store.hashInput(join(folder, "in"))).toBe(
    sha256(
      JSON.stringify([
        ["a", sha256("a")],
        ["deep/b", sha256("b")],
      ]),
    ),
  );
});
