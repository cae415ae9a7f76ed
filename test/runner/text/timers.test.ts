import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { after } from "../../../runner/text/timers.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY = 24 * 3600 * 1000;

test.each([1, DAY, 2 ** 31 - 1, 2 ** 31, 30 * DAY, 100 * DAY])("%i ms are over then, not before", (span) => {
  const call = vi.fn();
  after(span, call);
  vi.advanceTimersByTime(span - 1);
  expect(call).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledTimes(1);
});

test("a time that is cancelled on its way never comes", () => {
  const call = vi.fn();
  const cancel = after(60 * DAY, call);
  vi.advanceTimersByTime(30 * DAY);
  cancel();
  vi.advanceTimersByTime(60 * DAY);
  expect(call).not.toHaveBeenCalled();
});
