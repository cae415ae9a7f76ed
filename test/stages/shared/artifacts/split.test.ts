import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { readMetadata, readTable } from "../../../../stages/shared/artifacts/arrow.ts";
import {
  checkRoles,
  type Roles,
  readSplit,
  rowsOf,
  type Split,
  writeSplit,
} from "../../../../stages/shared/artifacts/split.ts";
import { scratch } from "../scratch.ts";

const folder = scratch();
const ROLES = ["train", "validation", "query", "database"] as const;
/** Roles of images, each written as the first letters of what it is in. */
const roles = (...images: string[]): Roles => {
  const of = (letter: string) => Uint8Array.from(images, (text) => Number(text.includes(letter)));
  return { train: of("t"), validation: of("v"), query: of("q"), database: of("d") };
};
const ids = (count: number) => Uint32Array.from({ length: count }, (_, i) => 10 * i + 5);
const split = (...images: string[]): Split => ({
  ids: ids(images.length),
  labels: Uint16Array.from(images, (_, i) => i % 2),
  ...roles(...images),
  protocol: "test",
  seed: 3,
});
const check = (...images: string[]) => checkRoles(ids(images.length), roles(...images), "split.arrow");

describe("checkRoles", () => {
  it("lets what every protocol allows pass", () => {
    check("td", "vd", "q");
    check("t", "v", "q", "d", "");
  });

  it.each([
    ["tv", "train", "validation"],
    ["tq", "train", "query"],
    ["vq", "validation", "query"],
    ["qd", "database", "query"],
  ])("refuses an image that is %s", (leak, a, b) => {
    expect(() => check("td", "vd", "q", leak)).toThrow(
      new UserError(`split.arrow: image 35 is in "${a}" and in "${b}". They must be apart.`),
    );
  });

  it("refuses a role without images", () => {
    for (const role of ROLES)
      expect(() => check(...["t", "v", "q", "d"].filter((letter) => letter !== role[0]))).toThrow(
        `split.arrow: no image is in "${role}".`,
      );
  });

  it("finds any leak, wherever it is", () => {
    const clean = fc.array(fc.constantFrom("td", "vd", "q", "d", "t", ""), { minLength: 0, maxLength: 50 });
    fc.assert(
      fc.property(clean, fc.nat(), fc.constantFrom("tv", "tq", "vq", "qd", "tvqd"), (images, place, leak) => {
        const whole = ["td", "vd", "q", ...images];
        check(...whole);
        whole.splice(place % (whole.length + 1), 0, leak);
        expect(() => check(...whole)).toThrow(UserError);
      }),
    );
  });
});

describe("a split in a file", () => {
  it("comes back as it was written", () => {
    const path = join(folder, "split.arrow");
    const written = split("td", "vd", "q", "d", "");
    writeSplit(path, written, { classes: ["a", "b"] });
    expect(readSplit(path)).toEqual(written);
    expect(readMetadata(readTable(path, "split"))).toEqual({
      protocol: "test",
      seed: 3,
      classes: ["a", "b"],
    });
  });

  it("is not written with a leak, or with an id that occurs twice", () => {
    const path = join(folder, "bad.arrow");
    expect(() => writeSplit(path, split("td", "vd", "q", "tq"))).toThrow(
      /image 35 is in "train" and in "query"/,
    );
    const twice = split("td", "vd", "q", "d");
    twice.ids[3] = twice.ids[1];
    expect(() => writeSplit(path, twice)).toThrow(/the id 15 occurs twice/);
  });
});

describe("rowsOf", () => {
  it("finds a role's images in a table of another order", () => {
    const { ids: all, ...rest } = split("td", "vd", "q", "d", "td");
    const table = all.toReversed();
    const rows = rowsOf({ ids: all, ...rest }, "train", table, "features.arrow");
    expect([...rows].map((row) => table[row])).toEqual([5, 45]);
    expect([...rowsOf({ ids: all, ...rest }, "database", table, "x")].map((row) => table[row])).toEqual([
      5, 15, 35, 45,
    ]);
  });

  it("names the image that is not there", () => {
    const whole = split("td", "vd", "q");
    expect(() => rowsOf(whole, "validation", Uint32Array.of(5, 25), "features.arrow")).toThrow(
      /^features\.arrow: image 15 of the split's "validation" is not there/,
    );
    expect([...rowsOf(whole, "train", Uint32Array.of(25, 5), "features.arrow")]).toEqual([1]);
  });
});

describe("the protocol self", () => {
  it("is the only one under which a query may be searched", () => {
    const both = roles("t", "v", "qd");
    expect(() => checkRoles(ids(3), both, "split.arrow", "self")).not.toThrow();
    expect(() => checkRoles(ids(3), both, "split.arrow", "lists")).toThrow(/"database" and in "query"/);
  });
});
