import { describe, expect, test } from "vitest";
import type { Task } from "../../../runner/plan/task.ts";
import { Events } from "../../../runner/run/events.ts";

const task = { id: "train[seed=1]" } as Task;

describe("events", () => {
  test("reach every listener that handles them, in order, until it is removed", () => {
    const events = new Events();
    const seen: string[] = [];
    const remove = events.listen({ started: ({ reason }) => seen.push(`first ${reason}`) });
    events.listen({ started: ({ reason }) => seen.push(`second ${reason}`), said: () => seen.push("said") });
    events.tell({ kind: "started", task, reason: "forced" });
    events.tell({ kind: "progress", task, done: 1, total: 2, unit: "steps" });
    remove();
    events.tell({ kind: "started", task, reason: "never ran" });
    expect(seen).toEqual(["first forced", "second forced", "second never ran"]);
  });

  test("keep the listener as `this`, and can be told by a function that is passed on", () => {
    class Count {
      warnings = 0;
      warned(): void {
        this.warnings++;
      }
    }
    const events = new Events();
    const count = new Count();
    events.listen(count);
    const { tell } = events;
    tell({ kind: "warned", message: "no GPU." });
    events.warn("no GPU.", task);
    expect(count.warnings).toBe(2);
  });

  test("of the store and the plan are warnings for a listener without a method for them", () => {
    const events = new Events();
    const warnings: string[] = [];
    const kinds: string[] = [];
    events.listen({ warned: ({ message }) => warnings.push(message) });
    events.listen({ lost: ({ id }) => kinds.push(id), quarantined: ({ fault }) => kinds.push(fault) });
    events.tell({ kind: "quarantined", key: "a".repeat(64), fault: "is damaged" });
    events.tell({ kind: "lost", id: "data", reason: "object 12345678… is gone" });
    expect(warnings).toEqual([
      "cache: record aaaaaaaa… is damaged. Quarantined; its stage runs again.",
      "cache: object 12345678… is gone; data runs again.",
    ]);
    expect(kinds).toEqual(["is damaged", "data"]);
  });
});
