import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { harmless, unbreakable } from "../../../runner/text/terminal.ts";
import { thrown } from "../../../runner/text/thrown.ts";

const RED = "\u001b[31mred\u001b[39m";

test.each([
  ["plain\n\ttext", "plain\n\ttext"],
  ["a title \u001b]0;mine\u0007.", "a title ."],
  ["a screen \u001b[2Jgone", "a screen gone"],
  ["over\rwritten", "over written"],
  ["windows\r\nlines\r\n", "windows\nlines\n"],
  ["C1 \u009b2J\u0090x\u009c", /^C1 [^\u0080-\u009f]*$/],
  ["a link \u001b]8;;http://evil\u0007here\u001b]8;;\u0007", "a link here"],
  ["a half \u001b[", "a half  ["],
  ["bell \u0007, escape \u001b, delete \u007f", "bell  , escape  , delete  "],
  ["right to left \u202etxt.exe", "right to left  txt.exe"],
  ["blink \u001b[5mx\u001b[8mhidden", "blink xhidden"],
])("%j is harmless", (text, expected) => {
  expect(harmless(text)).toMatch(expected);
  if (typeof expected === "string") expect(harmless(text)).toBe(expected);
});

describe("colours of this tool's own", () => {
  beforeEach(() => void vi.resetModules());
  afterEach(() => void vi.unstubAllEnvs());
  test.each([
    ["1", `${RED} x`],
    ["0", "red x"],
  ])("where FORCE_COLOR is %s", async (force, expected) => {
    vi.stubEnv("FORCE_COLOR", force);
    vi.stubEnv("NO_COLOR", "");
    vi.stubEnv("TERM", "dumb");
    const { harmless: fresh } = await import("../../../runner/text/terminal.ts");
    expect(fresh(`${RED} \u001b[2J\u001b[5mx`)).toBe(expected);
  });
});

test("an error of a display is told once and ends nothing", () => {
  const told: string[] = [];
  const display = {
    count: 1,
    said(line: string): string {
      if (line) throw new Error(line);
      return `${this.count}`;
    },
  };
  const guarded = unbreakable(display, (line) => told.push(line));
  expect(guarded.said("one")).toBeUndefined();
  expect(guarded.said("two")).toBeUndefined();
  expect(guarded.said("")).toBe("1");
  expect(told).toEqual(["the display failed (one). The run goes on."]);
});

test.each<[unknown, object]>([
  ["text", { name: "Error", message: "text", stack: "text" }],
  ["", { message: "threw an empty text" }],
  [undefined, { message: "threw undefined" }],
  [null, { message: "threw null" }],
  [{ reason: 7 }, { message: "threw { reason: 7 }" }],
  [{ message: "not an error", code: 7 }, { code: undefined }],
  [new TypeError(), { name: "TypeError", message: "TypeError without a message" }],
  [new AggregateError([new Error("one"), "two"]), { message: "one; two" }],
  [Object.assign(new Error("full"), { code: "ENOSPC" }), { code: "ENOSPC", message: "full" }],
])("%s that was thrown has words", (value, expected) => {
  expect(thrown(value)).toMatchObject(expected);
});

test("the words of an error have an end", () => {
  expect(thrown(new Error("x".repeat(1e6))).message.length).toBeLessThan(20_000);
});
