import { describe, expect, test } from "vitest";
import type { CodeFacts } from "../../../runner/code/outline.ts";
import { difference } from "../../../runner/plan/changes.ts";
import type { Origin, StageRecord } from "../../../runner/store/record.ts";

const base = { code: "1", parts: {}, params: {}, inputs: {} };
const recordOf = (more: object) => ({ ...base, packages: [], ...more }) as unknown as StageRecord;

test("a brief reason counts changed files; one alone is named", () => {
  const facts = (hash: string, outline: CodeFacts["outline"], packages: string[] = []) => ({
    [hash]: { outline, packages } as CodeFacts,
  });
  const say = (outline: CodeFacts["outline"], isBrief: boolean, packages: string[] = []) => {
    const codes: Record<string, CodeFacts> = { ...facts("1", {}), ...facts("2", outline, packages) };
    return difference(recordOf({}), { ...base, code: "2" }, (hash) => codes[hash], {}, isBrief);
  };
  const many = Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`f${at}.ts`, { g: "x" }]));
  expect(say(many, true, ["a@1", "b@1"])).toEqual([
    "its code changed: 14 files; packages changed: 2 packages",
  ]);
  expect(say(many, false)).toEqual([
    "its code changed: g (new) in f0.ts, g (new) in f1.ts, g (new) in f2.ts and 11 more",
  ]);
  expect(say({ "f.ts": { g: "x" } }, true)).toEqual(["its code changed: g (new) in f.ts"]);
  const wide = { "f.ts": Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`g${at}`, "x"])) };
  expect(say(wide, true)).toEqual(["its code changed: several functions in f.ts"]);
});

describe("inputs", () => {
  const [x, y] = ["x".repeat(64), "y".repeat(64)];
  const made = (id: string): Origin => ({ id, output: "o", key: "k" });
  const say = (
    before: { hash: string; id?: string }[],
    from: Origin[] | undefined,
    now: { hash: string; id?: string }[],
    makers: Origin[],
  ) =>
    difference(
      recordOf({ inputs: { i: before }, from: from && { i: from } }),
      { ...base, inputs: { i: now } },
      () => undefined,
      { i: makers },
    );

  test("the same bytes of the same maker are no change", () => {
    expect(say([{ hash: x }], [made("a")], [{ hash: x }], [made("a")])).toEqual([]);
  });
  test("other content is told with its maker and both hashes", () => {
    expect(say([{ hash: x }], [made("a")], [{ hash: y }], [made("a")])).toEqual([
      `the input "i" changed: a.o ${x.slice(0, 12)} → ${y.slice(0, 12)}`,
    ]);
    expect(say([{ hash: x }], [{ file: "f.txt" }], [{ hash: y }], [{ file: "f.txt" }])[0]).toContain(
      "f.txt x",
    );
  });
  test("another maker is told beside the old one, be the bytes the same or not", () => {
    expect(say([{ hash: x }], [made("a")], [{ hash: y }], [made("b")])).toEqual([
      `the input "i" changed: a.o ${x.slice(0, 12)} → b.o ${y.slice(0, 12)}`,
    ]);
    expect(say([{ hash: x, id: "a" }], [made("a")], [{ hash: x, id: "b" }], [made("b")])).toEqual([
      'the input "i" changed: a.o → b.o, the same bytes',
    ]);
  });
  test("files more and less are named", () => {
    const two = [{ hash: x }, { hash: y }];
    expect(say([{ hash: x }], [made("a")], two, [made("a"), made("b")])).toEqual([
      'the input "i" has 2 files, before 1: + b.o',
    ]);
    expect(say(two, [made("a"), made("b")], [], [])).toEqual([
      'the input "i" has 0 files, before 2: − a.o, − b.o',
    ]);
  });
  test("of an older record, which names no maker, the hashes are told", () => {
    expect(say([{ hash: x }], undefined, [{ hash: y }], [made("a")])).toEqual([
      `the input "i" changed: a.o ${x.slice(0, 12)} → ${y.slice(0, 12)}`,
    ]);
  });
  test("of many files the first are named, the rest counted", () => {
    const many = (letter: string) => Array.from({ length: 9 }, () => ({ hash: letter.repeat(64) }));
    const makers = Array.from({ length: 9 }, (_, i) => made(`a${i}`));
    expect(say(many("x"), makers, many("y"), makers)[0]).toMatch(/a2\.o .* and 6 more$/);
  });
});

describe("code", () => {
  const say = (before: CodeFacts | undefined, now: CodeFacts | undefined) =>
    difference(recordOf({}), { ...base, code: "2" }, (hash) => (hash === "1" ? before : now), {});
  const facts = (packages: string[], functions: Record<string, string>): CodeFacts => ({
    packages,
    outline: { "a.ts": functions },
  });

  test("is told by function and file", () => {
    expect(say(facts([], { f: "1", g: "1", h: "1" }), facts([], { f: "1", g: "2", k: "1" }))).toEqual([
      "its code changed: g, h (gone), k (new) in a.ts",
    ]);
  });
  test("packages are told with both versions", () => {
    expect(say(facts(["a@1", "@s/b@1", "c@1"], {}), facts(["a@2", "@s/b@1", "d@3"], {}))).toEqual([
      "packages changed: a 1 → 2, c 1 → none, d none → 3",
    ]);
  });
  test("a shell command is told as it was and is", () => {
    const shell = (command: string) => ({ ...facts([], {}), command });
    expect(say(shell("cat a"), shell("cat b"))).toEqual(['its command: "cat a" → "cat b"']);
  });
  test("without the old outline it is no more than changed", () => {
    expect(say(undefined, facts([], {}))).toEqual(["its code changed"]);
  });
});
