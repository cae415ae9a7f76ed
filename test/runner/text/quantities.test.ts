import { expect, test } from "vitest";
import { age, bytesOf, secondsOf, size, wholeNumber } from "../../../runner/text/quantities.ts";

test.each([
  ["5GB", 5e9],
  ["300 mb", 3e8],
  ["1.5KB", 1500],
  ["7B", 7],
  ["5", undefined],
  ["GB", undefined],
])("the size %s", (text, bytes) => {
  expect(bytesOf(text)).toBe(bytes);
});

test.each([
  ["30d", 2_592_000],
  ["12h", 43_200],
  ["2w", 1_209_600],
  ["0d", 0],
  ["3m", undefined],
  ["d", undefined],
])("the time %s, where minutes are not allowed", (text, seconds) => {
  expect(secondsOf(text, ["h", "d", "w"])).toBe(seconds);
});

test.each([
  ["0", 0, 0],
  ["0", 1, undefined],
  ["48", 1, 48],
  ["-1", 0, undefined],
  ["1.5", 0, undefined],
  ["1e3", 0, undefined],
  ["", 0, undefined],
  [" 7", 0, undefined],
  ["9007199254740993", 0, undefined],
])("%j as a whole number from %i", (text, from, number) => {
  expect(wholeNumber(text, from)).toBe(number);
});

test("sizes and ages as people read them", () => {
  expect([0, 999, 1000, 1_234_567, 5e9].map(size)).toEqual(["0 B", "999 B", "1.0 KB", "1.2 MB", "5.0 GB"]);
  expect([0, 3_600_000, 90_000_000].map(age)).toEqual(["0 h", "1 h", "1 d"]);
});

test.each<[string | number, number | undefined]>([
  ["90s", 90],
  ["10m", 600],
  ["1.5 h", 5400],
  ["2d", 172_800],
  ["5 min", 300],
  [0.5, 0.5],
  ["", undefined],
  ["10", undefined],
  ["-1m", undefined],
  ["0m", 0],
  ["10 parsecs", undefined],
  ["1m30s", undefined],
  ["1 toString", undefined],
])("the seconds of %s", (given, seconds) => {
  expect(secondsOf(given)).toBe(seconds);
});
