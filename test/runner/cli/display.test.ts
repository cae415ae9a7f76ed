import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Display } from "../../../runner/cli/display.ts";
import type { Task } from "../../../runner/plan/task.ts";
import { StageError } from "../../../runner/run/index.ts";
import type { StageRecord } from "../../../runner/store/record.ts";
import { duration } from "../../../runner/text/quantities.ts";

describe("durations", () => {
  test.each([
    [0, "0.0 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.7, "1 min 0 s"],
    [119.6, "2 min 0 s"],
    [3599.6, "1 h 0 min"],
    [7384, "2 h 3 min"],
  ])("%f → %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
  test("never show 60 of anything", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (seconds) => {
        expect(duration(seconds)).not.toMatch(/\b60 (s|min)/);
      }),
    );
  });
});

describe("plain lines, where there is no terminal", () => {
  let lines: string;
  let display: Display;
  const task = { id: "train[seed=1]" } as Task;
  beforeEach(() => {
    vi.useFakeTimers();
    lines = "";
    const out = { write: (text: string) => (lines += text), isTTY: false } as unknown as NodeJS.WriteStream;
    display = new Display(out, false, { settled: () => 3, total: 7 });
  });
  afterEach(() => vi.useRealTimers());
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
  const said = () => lines.replace(/\u001b\[\d+m/g, "");

  test("tell of one that failed before it started", () => {
    display.failed({
      kind: "failed",
      task,
      error: new StageError("the disk is full."),
      log: "cache/logs/x.log",
    });
    expect(said()).toBe("✗ train[seed=1]: the disk is full.\n  log: cache/logs/x.log\n");
  });

  test("tell the start with its reason, and the end with its time", () => {
    display.started({ kind: "started", task, reason: "never ran" });
    vi.advanceTimersByTime(75_000);
    const notes = { backend: "wasm", result: "mAP 0.837\u001b[2J" };
    display.finished({ kind: "finished", task, record: { notes: {} } as StageRecord });
    display.finished({ kind: "finished", task, record: { notes } as Partial<StageRecord> as StageRecord });
    const [begun, plainly, withResult] = said().split("\n");
    expect(begun).toBe("▸ train[seed=1]  (never ran)");
    expect(plainly).toBe("✓ [3/7] train[seed=1]  1 min 15 s");
    expect(withResult).toMatch(/^✓ \[3\/7\] train\[seed=1\] {2}mAP 0\.837\S* {2}0\.0 s$/);
  });

  test("tell the progress every 15 s, with rate and time left", () => {
    display.started({ kind: "started", task, reason: "forced" });
    vi.advanceTimersByTime(5_000); // the start of a backend, which the rate leaves out
    for (let done = 0; done <= 400; done += 10) {
      display.progress({ kind: "progress", task, done: done, total: 1500, unit: "steps" });
      vi.advanceTimersByTime(1_000);
    }
    expect(said().split("\n").slice(1, -1)).toEqual([
      "  train[seed=1]: 110 of 1500 steps, 10 steps/s, 2 min 19 s left",
      "  train[seed=1]: 270 of 1500 steps, 10 steps/s, 2 min 3 s left",
    ]);
  });

  test("without a total tell no time left", () => {
    display.started({ kind: "started", task, reason: "forced" });
    display.progress({ kind: "progress", task, done: 0, total: 0, unit: "images" });
    vi.advanceTimersByTime(20_000);
    display.progress({ kind: "progress", task, done: 60_000, total: 0, unit: "images" });
    expect(said()).toContain("  train[seed=1]: 60,000 images, 3000 images/s\n");
  });

  test("show nothing that a terminal would obey, whoever says it, and not too much", () => {
    const evil = "a\u001b]0;mine\u0007b\u001b[2Jc\rd\u009b31me\u0085f\u202eg\nh";
    const odd = { id: `train[name=${evil}]` } as Task;
    display.started({ kind: "started", task: odd, reason: evil });
    vi.advanceTimersByTime(20_000);
    display.progress({ kind: "progress", task: odd, done: 1, total: 2, unit: evil });
    display.warned({ kind: "warned", task: odd, message: evil });
    display.warned({ kind: "warned", message: evil });
    display.failed({
      kind: "failed",
      task: odd,
      error: new StageError(evil, "user", `${evil}\n${evil}`),
      log: evil,
    });
    display.started({ kind: "started", task: odd, reason: evil });
    display.fetched({ kind: "fetched", task: odd, from: evil });
    display.finished({ kind: "finished", task: odd, record: { notes: {} } as StageRecord });
    display.warned({ kind: "warned", message: "x".repeat(1e6) });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
    expect(said()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(said()).toContain("! train[name=abc de f g h]: abc de f g h\n");
    expect(said().split("\n")).toHaveLength(11);
    expect(said().length).toBeLessThan(4000);
  });

  test("tell of a stage that failed before it began, as when a shared cache was asked for it", () => {
    display.failed({
      kind: "failed",
      task,
      error: new StageError("it broke"),
      log: "cache/logs/k.log",
    });
    expect(said()).toContain("✗ train[seed=1]: it broke\n");
  });

  test("tell warnings, and a failure with its log", () => {
    display.started({ kind: "started", task, reason: "forced" });
    display.warned({ kind: "warned", task, message: "no GPU." });
    display.warned({ kind: "warned", message: "cache: odd." });
    display.failed({
      kind: "failed",
      task,
      error: new StageError("it broke", "stage", "Error: it broke\n    at x"),
      log: "cache/logs/k.log",
    });
    expect(said().split("\n").slice(1)).toEqual([
      "! train[seed=1]: no GPU.",
      "! cache: odd.",
      "✗ train[seed=1]: it broke",
      "  log: cache/logs/k.log",
      "",
    ]);
  });
});
