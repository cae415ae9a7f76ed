/** The display of a run on terminals of several widths. */
import fc from "fast-check";
import stringWidth from "string-width";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Display } from "../../../runner/cli/display.ts";
import { shortName } from "../../../runner/cli/progress.ts";
import type { TimeLeft } from "../../../runner/cli/time-left.ts";
import type { Task } from "../../../runner/plan/task.ts";
import { StageError } from "../../../runner/run/index.ts";
import type { StageRecord } from "../../../runner/store/record.ts";
import { Screen } from "./screen.ts";

const RECORD = { notes: { result: "mAP 0.837" } } as unknown as StageRecord;
const LOG = `/home/someone/study/cache/logs/${"0123456789abcdef".repeat(4)}.log`;
const ADVICE = `the loss is not finite at step 750. ${"It was finite before. ".repeat(8)}Lower train.learning_rate.`;
const tasks = ["semihard-negative", "hardest-negative"].flatMap((selector) =>
  [1, 2].map((seed) => ({ id: `train[selector=${selector},loss=hoffer-ailon,seed=${seed}]` }) as Task),
);

let settled: number;
beforeEach(() => {
  settled = 3;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

function open(screen: Screen, left?: number): Display {
  const time = left && ({ at: () => ({ seconds: left, atLeast: false }), learn() {} } as unknown as TimeLeft);
  return new Display(screen.stream, false, { settled: () => settled, total: 12, left: time || undefined });
}

/** Starts all tasks and lets them report. */
function begin(display: Display): void {
  for (const task of tasks) display.started({ kind: "started", task, reason: "never ran" });
  for (let second = 0; second <= 10; second++) {
    for (const task of tasks)
      display.progress({
        kind: "progress",
        task,
        done: second * 10,
        total: 1500,
        unit: "steps",
        megabytes: 812,
      });
    vi.advanceTimersByTime(1000);
  }
}

/** The screen, at the end or at an earlier moment. The clock of the display ends with the first call. */
function seen(screen: Screen, moment?: number) {
  vi.useRealTimers();
  return screen.read(moment);
}

describe.each([20, 80, 110, 170])("on %i columns", (columns) => {
  test("each running stage and the run have one row, with the percentage and the time left", async () => {
    const screen = new Screen(columns);
    const display = open(screen, 200);
    begin(display);
    const { rows } = await seen(screen);
    expect(rows).toHaveLength(tasks.length + 1);
    for (const row of rows) expect(row.length).toBeLessThan(columns);
    for (const row of rows.slice(0, -1)) expect(row).toMatch(/^ .* 6% train/);
    if (columns > 20) {
      for (const row of rows.slice(0, -1)) expect(row).toContain("100 of 1500 steps");
      for (const row of rows.slice(0, -1)) expect(row).toMatch(/, 2 min 20 s left/);
      expect(rows.at(-1)).toMatch(/^█+░+ 3 of 12 stages {2}11 s elapsed, about 3 min 20 s left, 4 running$/);
      const names = rows.slice(0, -1).map((row) => /train\[.*\]/.exec(row)![0]);
      expect(new Set(names).size).toBe(tasks.length);
    } else expect(rows.at(-1)).toMatch(/^ ?3\/12 {2}11 s/);
    display.close();
  });

  test("no character of a message is lost, with any stages running", async () => {
    const screen = new Screen(columns);
    const display = open(screen);
    const [first, second, third] = tasks;
    display.warned({ kind: "warned", message: `one ${ADVICE}` }); // before anything runs
    display.started({ kind: "started", task: first, reason: "never ran" });
    display.warned({ kind: "warned", task: first, message: `two ${ADVICE}` });
    vi.advanceTimersByTime(500);
    display.started({ kind: "started", task: second, reason: "never ran" });
    settled++;
    display.finished({ kind: "finished", task: first, record: RECORD });
    settled++;
    display.finished({ kind: "finished", task: second, record: RECORD }); // nothing else runs
    display.started({ kind: "started", task: third, reason: "never ran" });
    vi.advanceTimersByTime(2000);
    display.failed({ kind: "failed", task: third, error: new StageError(ADVICE), log: LOG });
    vi.advanceTimersByTime(2000);
    display.close();
    const { lines } = await seen(screen);
    expect(lines).toEqual([
      `! one ${ADVICE}`,
      `! ${first.id}: two ${ADVICE}`,
      `✓ [4/12] ${first.id}  mAP 0.837  0.5 s`,
      `✓ [5/12] ${second.id}  mAP 0.837  0.0 s`,
      `✗ ${third.id}: ${ADVICE}`,
      `  log: ${LOG}`,
    ]);
  });
});

test("a change of the width leaves one block, and the messages above it", async () => {
  const screen = new Screen(170, 40);
  const display = open(screen);
  display.warned({ kind: "warned", message: ADVICE });
  begin(display);
  for (const columns of [60, 25, 110, 43, 170]) {
    screen.resize(columns);
    vi.advanceTimersByTime(1000);
  }
  const moment = screen.mark();
  display.close();
  const { lines } = await seen(screen, moment);
  expect(lines).toHaveLength(1 + tasks.length + 1);
  expect(lines[0]).toBe(`! ${ADVICE}`);
  expect((await seen(screen)).lines).toEqual([`! ${ADVICE}`]);
});

test("of hundreds of running stages the terminal shows as many as fit", async () => {
  const screen = new Screen(80, 24);
  const display = open(screen);
  const many = Array.from({ length: 300 }, (_, at) => ({ id: `encode[bits=${at}]` }) as Task);
  for (const task of many) display.started({ kind: "started", task, reason: "never ran" });
  vi.advanceTimersByTime(1000);
  const moment = screen.mark();
  for (const task of many) display.finished({ kind: "finished", task, record: RECORD });
  display.close();
  const { rows } = await seen(screen, moment);
  expect(rows).toHaveLength(22);
  expect(rows.at(-2)).toBe("  … and 280 more running");
  expect(rows.at(-1)).toContain("300 running");
  const { lines } = await seen(screen);
  expect(lines).toEqual(many.map(({ id }) => `✓ [3/12] ${id}  mAP 0.837  1.0 s`));
});

test("failures are repeated with their logs where other lines followed", async () => {
  const screen = new Screen(80);
  const display = open(screen);
  for (const task of tasks) display.started({ kind: "started", task, reason: "never ran" });
  display.failed({ kind: "failed", task: tasks[0], error: new StageError(ADVICE), log: LOG });
  display.finished({ kind: "finished", task: tasks[1], record: RECORD });
  display.failed({ kind: "failed", task: tasks[2], error: new StageError("it broke."), log: LOG });
  display.close();
  const { lines } = await seen(screen);
  expect(lines.slice(-4)).toEqual([
    `✗ ${tasks[0].id}: ${ADVICE}`,
    `  log: ${LOG}`,
    `✗ ${tasks[2].id}: it broke.`,
    `  log: ${LOG}`,
  ]);
  expect(lines).toHaveLength(9);
});

test("a block begins below what a shell wrote while the run was stopped", async () => {
  const screen = new Screen(80);
  const display = open(screen);
  begin(display);
  screen.write("^Z\n[1]+  Stopped\n$ fg\n");
  process.emit("SIGCONT", "SIGCONT");
  vi.advanceTimersByTime(1000);
  display.close();
  const { lines } = await seen(screen);
  expect(lines.slice(-3)).toEqual(["^Z", "[1]+  Stopped", "$ fg"]);
});

test("nothing is drawn after the end, and nothing listens", () => {
  const screen = new Screen(80);
  const before = process.listenerCount("SIGCONT");
  const display = open(screen);
  begin(display);
  display.close();
  const moment = screen.mark();
  vi.advanceTimersByTime(5000);
  screen.emit("resize");
  expect(screen.mark()).toBe(moment);
  expect(process.listenerCount("SIGCONT")).toBe(before);
});

describe("the short name of an instance", () => {
  test.each([
    ["train[loss=facenet,seed=1]", 40, "train[loss=facenet,seed=1]"],
    ["train[loss=facenet,seed=1]", 20, "train[facenet,1]"],
    ["train[loss=facenet,selector=semihard-negative,seed=1]", 24, "train[facenet,semiha…,1]"],
    ["evaluate", 5, "ev…te"],
  ])("%s on %i columns is %s", (id, width, name) => {
    expect(shortName(id, width)).toBe(name);
  });
  test("fits into every width", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 60 }), (values, width) => {
        const id = `train[${values.map((value, at) => `axis${at}=${value}`).join(",")}]`;
        expect(stringWidth(shortName(id, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});
