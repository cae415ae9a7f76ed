import { expect, test } from "vitest";
import { type CheckResult, isDrop, verdict } from "../../../runner/inspect/check.ts";
import { markdownTable } from "../../../runner/text/index.ts";

const effect = (difference: number, p?: number) => ({
  file: "reports/x/metrics.json",
  path: ["map"],
  before: 0.5,
  now: 0.5 + difference,
  difference,
  p,
  how: "paired, 10 queries",
});
const result = (more: Partial<CheckResult>): CheckResult => ({
  compared: 3,
  files: 1,
  differences: [],
  effects: [],
  missing: [],
  against: "as committed",
  ...more,
});
const rule = { tolerance: 0.01 };

test("a drop counts when it is beyond the tolerance and not by chance", () => {
  expect(isDrop(effect(-0.02, 0.001), 0.01)).toBe(true);
  expect(isDrop(effect(-0.009, 0.001), 0.01)).toBe(false);
  expect(isDrop(effect(-0.02, 0.3), 0.01)).toBe(false);
  expect(isDrop(effect(0.02, 0.001), 0.01)).toBe(false);
  expect(isDrop(effect(-0.02), 0.01)).toBe(true); // of its noise nothing is known
});

test("the verdict states the effect of what moved, also when it passes", () => {
  const { passed, lines } = verdict(result({ effects: [effect(-0.02, 0.3), effect(0.001, 0.9)] }), rule);
  expect(passed).toBe(true);
  expect(lines).toEqual([
    "measurement  committed  now     difference  95 %  p (Holm)  by",
    "map          0.5000     0.4800  −0.0200     –     0.300     paired, 10 queries",
    "Check passed: 3 numbers in 1 file compared within 0.01 with the report as committed; 0 differences; 2 measurements compared with their noise, 1 moved by more than 0.01, 0 of them significantly down.",
  ]);
});

test("a significant drop fails it, and so does a number that is no measurement", () => {
  const drop = verdict(result({ effects: [effect(-0.02, 0.001)] }), rule);
  expect(drop.passed).toBe(false);
  expect(drop.lines.at(-1)).toContain("Check FAILED");
  expect(drop.lines.at(-1)).toContain("1 of them significantly down");
  const differences = [{ file: "reports/x/metrics.json", path: "queries", before: 10, now: 11 }];
  const other = verdict(result({ differences }), rule);
  expect(other.passed).toBe(false);
  expect(other.lines.slice(0, 2)).toEqual([
    "number                  committed  now  difference",
    "x/metrics.json queries  10         11   1.00e+0",
  ]);
});

test("as Markdown it is a table, between blank lines, for all contents of cells", () => {
  const differences = [{ file: "reports/x/metrics.json", path: "a|b", before: 10, now: 11 }];
  const { lines } = verdict(result({ differences }), rule, markdownTable);
  expect(lines.slice(0, 5)).toEqual([
    "",
    "| number | committed | now | difference |",
    "| --- | --- | --- | --- |",
    "| x/metrics.json a\\|b | 10 | 11 | 1.00e+0 |",
    "",
  ]);
});
