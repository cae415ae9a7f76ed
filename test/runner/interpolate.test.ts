import fc from "fast-check";
import { expect, test } from "vitest";
import { interpolate, type Lookup } from "../../runner/interpolate.ts";

const values: Record<string, unknown> = {
  "vars.n": 3,
  "vars.list": [1, 2],
  "vars.name": "x",
  "vars.none": null,
};
const lookup: Lookup = (expression) => values[expression];
const unknown = (expression: string, path: (string | number)[]): never => {
  throw new Error(`${path.join(".")}: ${expression}`);
};
const fill = (value: unknown, later?: string[]) => interpolate(value, lookup, unknown, later);

test("a string that is one hole takes the value with its type", () => {
  expect(fill("${vars.n}")).toBe(3);
  expect(fill("${ vars.list }")).toEqual([1, 2]);
  expect(fill("${vars.none}")).toBeNull();
});

test("in a longer string the value is written out", () => {
  expect(fill("a-${vars.n}-${vars.name}")).toBe("a-3-x");
  expect(fill("${vars.n}${vars.n}")).toBe("33");
});

test("lists and maps are filled all through, keys stay", () => {
  expect(fill({ "${vars.n}": [{ a: "${vars.n}" }, true] })).toEqual({ "${vars.n}": [{ a: 3 }, true] });
});

test("what is unknown is told with its path", () => {
  expect(() => fill({ a: ["", "x ${vars.m}"] })).toThrow("a.1: vars.m");
});

test("what is known later stays, the rest is filled", () => {
  expect(fill("${vars.n} ${in.a} ${out.b}", ["in.", "out."])).toBe("3 ${in.a} ${out.b}");
  expect(fill("${in.a}", ["in."])).toBe("${in.a}");
});

test("a value without a hole comes back as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(!JSON.stringify(value).includes("${"));
      expect(fill(value)).toEqual(value);
    }),
  );
});
