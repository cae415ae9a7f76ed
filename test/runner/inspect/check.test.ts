import fc from "fast-check";
import { expect, test } from "vitest";
import { compare } from "../../../runner/inspect/numbers.ts";
import type { CheckRule } from "../../../runner/study/study-file.ts";

function differences(committed: unknown, now: unknown, rule: CheckRule = "exact") {
  const found: string[] = [];
  const compared = compare(committed, now, rule, ({ path }) => found.push(path));
  return { compared, found };
}

test("counts the numbers and names the paths that differ", () => {
  expect(differences({ a: [1, 2], b: { c: 3, d: "x" } }, { a: [1, 5], b: { c: 3, d: "y" } })).toEqual({
    compared: 3,
    found: ["a.1", "b.d"],
  });
});

test("a value on one side alone is a difference, also a whole branch", () => {
  expect(differences({ a: 1 }, { a: 1, b: 2 }).found).toEqual(["b"]);
  expect(differences({ a: 1, b: { c: 1 } }, { a: 1 }).found).toEqual(["b"]);
  expect(differences([1, 2], [1]).found).toEqual(["1"]);
  expect(differences({ a: [1] }, { a: { 0: 1 } }).found).toEqual(["a"]);
  expect(differences({ a: 1 }, { a: null }).found).toEqual(["a"]);
  expect(differences({ a: 1 }, { a: "1" }).found).toEqual(["a"]);
});

test("exactly means to the last bit, within a tolerance means no further apart", () => {
  expect(differences(0.1 + 0.2, 0.3).found).toEqual([""]);
  expect(differences(0.5, 0.75, { tolerance: 0.25 }).found).toEqual([]);
  expect(differences(0.5, 0.76, { tolerance: 0.25 }).found).toEqual([""]);
  expect(differences({ a: "x" }, { a: "y" }, { tolerance: 9 }).found).toEqual(["a"]);
});

test("any value equals itself, and a change of any one number is found", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(differences(value, structuredClone(value)).found).toEqual([]);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), fc.nat(), (list, at) => {
      const index = at % list.length;
      const other = list.map((value, i) => (i === index ? (value === 1 ? 2 : 1) : value));
      expect(differences({ list }, { list: other })).toEqual({
        compared: list.length,
        found: [`list.${index}`],
      });
    }),
  );
});
