import { describe, expect, it } from "vitest";
import { threadsFor } from "../../../../stages/shared/compute/threads.ts";

describe("threadsFor", () => {
  it("starts no thread for less than a start takes", () => {
    expect(threadsFor(0, 8)).toBe(1);
    expect(threadsFor(0.9, 8)).toBe(1);
  });

  it("starts only threads that have enough to do, and never more than there are cores", () => {
    expect(threadsFor(1, 8)).toBe(2);
    expect(threadsFor(1.6, 8)).toBe(3);
    expect(threadsFor(100, 8)).toBe(8);
    expect(threadsFor(100, 1)).toBe(1);
  });
});
