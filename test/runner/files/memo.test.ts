import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Memo } from "../../../runner/files/memo.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-memo-"));
  file = join(folder, "deep/memo.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what a killed process left half written is swept when the next one saves", () => {
  mkdirSync(dirname(file));
  const left = `${file}.7.scratch-${2 ** 30}-1-${hostname()}`; // no process has that number
  writeFileSync(left, "half");
  const memo = new Memo(file);
  memo.set("asked", "answer");
  memo.save();
  expect(existsSync(left)).toBe(false);
  expect(existsSync(file)).toBe(true);
});

test("an answer is known again, by all that was asked, and each time as a copy", () => {
  const memo = new Memo(file);
  memo.set(["text", { a: 1 }], { b: [2] });
  memo.save();
  const later = new Memo(file);
  const answer = later.get(["text", { a: 1 }]) as { b: number[] };
  expect(answer).toEqual({ b: [2] });
  answer.b.push(3);
  expect(later.get(["text", { a: 1 }])).toEqual({ b: [2] });
  expect(later.get(["text", { a: 2 }])).toBeUndefined();
  expect(later.get(["other", { a: 1 }])).toBeUndefined();
});

test("what JSON cannot hold is not kept, nor taken for what looks like it", () => {
  const memo = new Memo(file);
  for (const value of [Number.POSITIVE_INFINITY, Number.NaN, new Date(0)]) {
    memo.set(["answer"], { value });
    expect(memo.get(["answer"])).toBeUndefined();
  }
  memo.set([null], 1);
  for (const asked of [Number.POSITIVE_INFINITY, Number.NaN]) expect(memo.get([asked])).toBeUndefined();
});

test("an answer that JSON cannot hold takes an earlier one away", () => {
  const memo = new Memo(file);
  memo.set("asked", [1]);
  memo.set("asked", [-0]);
  expect(memo.get("asked")).toBeUndefined();
});

test("any value of JSON comes back equal", () => {
  const memo = new Memo(file);
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (asked, answer) => {
      memo.set(asked, answer);
      const found = memo.get(asked);
      if (found !== undefined) expect(JSON.stringify(found)).toBe(JSON.stringify(answer));
    }),
    { numRuns: 100 },
  );
});

test("a file that is cut off is none; one that grew too large keeps the entries of the last run", () => {
  const memo = new Memo(file);
  memo.set(1, "x".repeat(3 << 20));
  memo.save();
  const next = new Memo(file);
  next.set(2, "y".repeat(3 << 20));
  next.save();
  const last = new Memo(file);
  expect([last.get(1), (last.get(2) as string)?.length]).toEqual([undefined, 3 << 20]);
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 100));
  expect(new Memo(file).get(2)).toBeUndefined();
});
