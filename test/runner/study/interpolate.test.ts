import fc from "fast-check";
import { expect, test } from "vitest";
import { interpolate, type Lookup } from "../../../runner/study/interpolate.ts";

const values: Record<string, unknown> = {
  "vars.n": 3,
  "vars.list": [1, 2],
  "vars.name": "x",
  "vars.none": null,
  "vars.map": { a: 1 },
  "vars.maps": [1, [{ a: 1 }]],
};
const lookup: Lookup = (expression) => values[expression];
const refuse = (_: string, why: string, path: (string | number)[]): never => {
  throw new Error(`${path.join(".")}: ${why}`);
};
const fill = (value: unknown) => interpolate(value, lookup, refuse);

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
  expect(() => fill({ a: ["", "x ${vars.m}"] })).toThrow("a.1: nothing is called ${vars.m}.");
});

test("a map in a longer string is refused: it has no text", () => {
  expect(fill("${vars.map}")).toEqual({ a: 1 });
  expect(() => fill({ a: "x ${vars.map}" })).toThrow("a: ${vars.map} is a map. Name one of its values.");
  expect(() => fill("x ${vars.maps}")).toThrow("${vars.maps} is a map.");
});

test("$${ stands for ${ itself", () => {
  expect(fill("$${vars.n} $${ $$ $$${vars.n} ${vars.n}")).toBe("${vars.n} ${ $$ $${vars.n} 3");
  expect(fill("$${vars.n}")).toBe("${vars.n}");
});

test("a hole that is never closed is told", () => {
  const message = "a ${ is never closed. Write $${ for the two characters themselves.";
  expect(() => fill({ a: "${vars.n" })).toThrow(`a: ${message}`);
  expect(() => fill("${vars.n} costs ${")).toThrow(message);
});

test("holes without end take no time that grows with their square", () => {
  const began = performance.now();
  expect(() => fill("${".repeat(1_000_000))).toThrow("never closed");
  expect(performance.now() - began).toBeLessThan(5000);
});

test("a value without a hole comes back as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(!JSON.stringify(value).includes("${"));
      expect(fill(value)).toEqual(value);
    }),
  );
});
