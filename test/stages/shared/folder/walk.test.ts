/** Walking a person's folder: hidden files, links in circles, and unreadable files. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { list } from "../../../../stages/shared/folder/folder.ts";
import { walk } from "../../../../stages/shared/folder/walk.ts";
import { scratch } from "../scratch.ts";

function folderOf(files: string[], links: Record<string, string> = {}): string {
  const root = join(scratch(), "root");
  for (const file of files) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), "");
  }
  for (const [path, to] of Object.entries(links)) symlinkSync(to, join(root, path));
  return root;
}

test("hidden files and what systems leave behind do not count", () => {
  const clutter = [
    ".git/a.jpg",
    "a/._1.jpg",
    "__MACOSX/a/1.jpg",
    "a/@eaDir/1.jpg",
    "a/Thumbs.db",
    "a/.DS_Store",
  ];
  expect(walk(folderOf(["a/1.jpg", ...clutter]))).toEqual({
    files: ["a/1.jpg"],
    folders: ["a"],
    problems: [],
  });
});

test("a link to a folder is followed, a circle of links is not, and no folder is read twice", () => {
  const elsewhere = folderOf(["x/1.jpg"], { "x/back": "." });
  const root = folderOf(["b/1.jpg", "b/deep/2.jpg"], {
    "b/again": "..",
    "b/deep/up": "..",
    a: "b",
    c: join(elsewhere, "x"),
    "d.jpg": "b/1.jpg",
    all: "/",
  });
  symlinkSync(root, join(elsewhere, "x/home"));
  expect(walk(root)).toEqual({
    files: ["b/1.jpg", "b/deep/2.jpg", "c/1.jpg", "d.jpg"],
    folders: ["b", "b/deep", "c"],
    problems: [
      "a (the same folder as b)",
      "all (a link to a folder that holds the one given)",
      "b/again (the same folder as the one given)",
      "b/deep/up (the same folder as b)",
      "c/back (the same folder as c)",
      "c/home (the same folder as the one given)",
    ],
  });
});

test("what cannot be read is a problem with a reason, and ends nothing", () => {
  const root = folderOf(["a/1.jpg", "a/2.jpg"], { "a/dead.jpg": "nowhere", "a/self.jpg": "self.jpg" });
  execFileSync("mkfifo", [join(root, "a/pipe.jpg")]);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/a/`), Buffer.from([0xff]), Buffer.from(".jpg")]), "");
  expect(walk(root)).toEqual({
    files: ["a/1.jpg", "a/2.jpg"],
    folders: ["a"],
    problems: [
      "a/dead.jpg (a link to nothing, or a name that is no UTF-8)",
      "a/pipe.jpg (not a file)",
      "a/self.jpg (a link to itself)",
      "a/\ufffd.jpg (a link to nothing, or a name that is no UTF-8)",
    ],
  });
  expect(walk(join(root, "gone")).problems).toEqual([expect.stringMatching(/gone \(a link to nothing/)]);
});

test.skipIf(process.getuid?.() === 0)("a folder without permission is a problem", () => {
  const root = folderOf(["a/1.jpg", "b/2.jpg"]);
  execFileSync("chmod", ["000", join(root, "b")]);
  expect(walk(root).problems).toEqual(["b (no permission to read it)"]);
  execFileSync("chmod", ["700", join(root, "b")]);
});

test("the same letters are one class, however a disk spells them", () => {
  const { entries } = list(folderOf(["caf\u00e9/1.jpg", "cafe\u0301/2.jpg", "cafeteria/3.jpg"]));
  expect(entries.map((entry) => entry.class)).toEqual(["cafeteria", "caf\u00e9", "caf\u00e9"]);
});

test.each<[string, string[], string[]]>([
  ["only train and test", ["train/a/1.jpg", "test/a/2.jpg"], ["train a", "test a"]],
  ["one split alone", ["train/a/1.jpg", "train/b/2.jpg"], ["train a", "train b"]],
  ["both spellings of one", ["train/a/1.jpg", "Train/b/2.jpg"], ["train a", "train b"]],
  ["a class called train", ["train/1.jpg", "bus/2.jpg"], ["train bus", "train train"]],
  [
    "splits beside a class",
    ["train/a/1.jpg", "test/a/2.jpg", "bus/3.jpg"],
    ["train bus", "train test", "train train"],
  ],
  ["a nested class", ["a/b/c/1.jpg", "d/2.jpg"], ["train a", "train d"]],
])("%s", (_, files, expected) => {
  const { entries } = list(folderOf(files));
  expect(entries.map((entry) => `${entry.split} ${entry.class}`)).toEqual(expected);
});

test("says where splits are taken for classes", () => {
  expect(list(folderOf(["train/a/1.jpg", "test/a/2.jpg", "bus/3.jpg"])).remarks).toEqual([
    "test and train are taken for classes, since there are others beside them (bus).",
  ]);
  expect(list(folderOf(["train/1.jpg", "test/2.jpg"])).remarks).toEqual([
    "test and train are taken for classes, since they hold no class folders.",
  ]);
});
