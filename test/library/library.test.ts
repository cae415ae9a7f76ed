/** The library: package.json lists the existing entries, which export every loss and selector. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as binarisers from "../../library/binarisers.ts";
import * as losses from "../../library/losses.ts";
import * as selectors from "../../library/selectors.ts";
import * as training from "../../library/training.ts";

const { exports, scripts } = JSON.parse(readFileSync("package.json", "utf8"));
const { entryPoints } = JSON.parse(readFileSync("library/typedoc.json", "utf8"));

test("every door of package.json is a file that the build makes, with types and pages of its own", () => {
  const names = Object.keys(exports).map((name) => name.replace("./", ""));
  expect(names).toEqual(
    "binarisers data evaluation hamming losses maps metrics runner search selectors store training".split(
      " ",
    ),
  );
  for (const name of names) {
    expect(existsSync(`library/${name}.ts`)).toBe(true);
    expect(exports[`./${name}`]).toEqual({
      types: `./dist/library/${name}.d.ts`,
      default: `./dist/library/${name}.js`,
    });
  }
  expect(entryPoints).toEqual(names.map((name) => `${name}.ts`));
  expect(scripts).toMatchObject({ build: expect.any(String), api: expect.any(String) });
});

test.each([
  ["train/losses", losses],
  ["train/selectors", selectors],
  ["train/networks", training],
  ["train/samplers", training],
  ["encode/binarisers", binarisers],
] as const)("all of %s are in it, by their names in camel case", (folder, offered) => {
  for (const file of readdirSync(`stages/${folder}`)) {
    const name = file.replace(".ts", "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    expect(Object.keys(offered)).toContain(name);
  }
});

test("the defaults of a part's params are what pipeline.yaml need not say", () => {
  expect(losses.defaultsOf(losses.facenet)).toEqual({ margin: 0.2 });
  expect(losses.defaultsOf(losses.facenet, { margin: 1 })).toEqual({ margin: 1 });
  expect(losses.defaultsOf({ params: { needed: { type: "number" } } })).toEqual({});
  expect(losses.defaultsOf({})).toEqual({});
});
