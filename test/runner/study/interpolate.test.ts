import fc from "fast-check";
import { expect, test } from "vitest";
import { interpolate, type Lookup } from "../../../runner/study/interpolate.ts";
import { dig } from "../../../runner/text/index.ts";

const values: Record<string, unknown> = {
  n: 3,
  list: [1, 2],
  name: "x",
  none: null,
  map: { a: 1 },
  maps: [1, [{ a: 1 }]],
};
const lookup: Lookup = (expression) => dig(values, expression.split("."));
const refuse = (_: string, why: string, path: (string | number)[]): never => {
  throw new Error(`${path.join(".")}: ${why}`);
};
const fill = (value: unknown) => interpolate(value, lookup, refuse);

test("a string that is one hole takes the value with its type", () => {
  expect(fill("${n}")).toBe(3);
  expect(fill("${ list }")).toEqual([1, 2]);
  expect(fill("${none}")).toBeNull();
});

test("in a longer string the value is written out", () => {
  expect(fill("a-${n}-${name}")).toBe("a-3-x");
  expect(fill("${n}${n}")).toBe("33");
});

test("lists and maps are filled all through, keys stay", () => {
  expect(fill({ "${n}": [{ a: "${n}" }, true] })).toEqual({ "${n}": [{ a: 3 }, true] });
});

test("an unknown name is reported with its path", () => {
  expect(() => fill({ a: ["", "x ${m}"] })).toThrow('a.1: nothing is called "m".');
});

test("a map in a longer string is refused: it has no text", () => {
  expect(fill("${map}")).toEqual({ a: 1 });
  expect(() => fill({ a: "x ${map}" })).toThrow("a: ${map} is a map. Name one of its values.");
  expect(() => fill("x ${maps}")).toThrow("${maps} is a map.");
});

test("$$ is a dollar, and a single one is refused", () => {
  expect(fill("$${n} $$n $$$$ $$${n} ${n}")).toBe("${n} $n $$ $3 3");
  expect(fill("$$n")).toBe("$n");
  expect(() => fill({ a: "costs $5" })).toThrow(
    "a: $5 is within a text. Write ${5} for the value, or $$5 for the characters themselves.",
  );
  expect(() => fill("a $ b")).toThrow("a single $ names nothing. Write $$ for the character itself.");
});

test("$name is a whole value, as ${name} is", () => {
  expect(fill(["$n", "$list", "$none", "$map", "$map.a"])).toEqual([3, [1, 2], null, { a: 1 }, 1]);
});

test("a hole that is never closed is told", () => {
  const message = "a ${ is never closed. Write $${ for the two characters themselves.";
  expect(() => fill({ a: "${n" })).toThrow(`a: ${message}`);
  expect(() => fill("${n} costs ${")).toThrow(message);
});

test("holes without end take no time that grows with their square", () => {
  const began = performance.now();
  expect(() => fill("${".repeat(1_000_000))).toThrow("never closed");
  expect(performance.now() - began).toBeLessThan(5000);
});

test("a value without a hole comes back as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(!JSON.stringify(value).includes("$"));
      expect(fill(value)).toEqual(value);
    }),
  );
});
