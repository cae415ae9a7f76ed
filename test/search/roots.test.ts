/** Roots that move keep apart. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { moved } from "../../search/index/roots.ts";
import { scratch } from "../stages/shared/scratch.ts";

const folder = scratch();
const at = (name: string) => join(folder, name);
for (const name of ["m1", "m2", "m3/in"]) mkdirSync(at(name), { recursive: true });
const roots = [{ path: at("m1") }, { path: at("m2") }];
const move = (moves: [from: string, to: string][], of: { path: string; only?: string[] }[] = roots) =>
  moved(
    of,
    moves.map(([from, to]) => `${at(from)}=${at(to)}`),
    (path) => path,
  ).map(({ path }) => path.slice(folder.length + 1));

test.each<[string, [string, string][]]>([
  [
    "to one place",
    [
      ["m1", "m3"],
      ["m2", "m3"],
    ],
  ],
  ["one to the place of another", [["m1", "m2"]]],
  [
    "one into another",
    [
      ["m1", "m3/in"],
      ["m2", "m3"],
    ],
  ],
  [
    "one around another",
    [
      ["m1", "m3"],
      ["m2", "m3/in"],
    ],
  ],
])("two roots do not move %s", (_, moves) => {
  expect(() => move(moves)).toThrow(/^index: --root: .*each needs a folder of its own/);
});

test("two roots change places, and single files may be beside a root's folder", () => {
  expect(
    move([
      ["m1", "m2"],
      ["m2", "m1"],
    ]),
  ).toEqual(["m2", "m1"]);
  const files = [{ path: at("m1"), only: ["a.png"] }, { path: at("m2") }];
  expect(
    move(
      [
        ["m1", "m3"],
        ["m2", "m3/in"],
      ],
      files,
    ),
  ).toEqual(["m3", "m3/in"]);
  expect(() =>
    move(
      [
        ["m1", "m3/in"],
        ["m2", "m3"],
      ],
      files,
    ),
  ).toThrow(/each needs a folder/);
});

test("a root does not move to two places, but may be named twice", () => {
  expect(() =>
    move([
      ["m1", "m2"],
      ["m1", "m3"],
    ]),
  ).toThrow(
    /^index: --root .*m1=.*m3: another place for the same folder than --root .*m1=.*m2\. Give one of them\.$/,
  );
  expect(
    move(
      [
        ["m1", "m3"],
        ["m1", "m3"],
      ],
      [roots[0]],
    ),
  ).toEqual(["m3"]);
});
