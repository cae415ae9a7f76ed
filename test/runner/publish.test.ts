import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Plan } from "../../runner/plan.ts";
import { publish } from "../../runner/publish.ts";
import { Store } from "../../runner/store.ts";

let root: string;
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-publish-"));
  store = new Store(join(root, "cache"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A plan of one published stage that is known. */
function planOf(metrics: string, figures: Record<string, string>, timings: string): Plan {
  const scratch = store.scratch("k".repeat(64));
  writeFileSync(join(scratch, "m"), metrics);
  writeFileSync(join(scratch, "t"), timings);
  mkdirSync(join(scratch, "f/sub"), { recursive: true });
  for (const [name, text] of Object.entries(figures)) writeFileSync(join(scratch, "f", name), text);
  const outputs = {
    metrics: store.keepOutput(join(scratch, "m"), false),
    figures: store.keepOutput(join(scratch, "f"), false),
    timings: store.keepOutput(join(scratch, "t"), true),
  };
  const task = {
    id: "a",
    publish: "reports/x",
    outputs: {
      metrics: { path: "metrics.json", measured: false },
      figures: { path: "figures/", measured: false },
      timings: { path: "timings.json", measured: true },
    },
  };
  return { tasks: [task], states: new Map([["a", { kind: "hit", record: { outputs } }]]) } as unknown as Plan;
}
const read = (path: string) => readFileSync(join(root, "reports/x", path), "utf8");

test("copies what differs, and tells the folder only then", () => {
  const plan = planOf("1", { "a.svg": "A", "sub/b.svg": "B" }, "t1");
  expect(publish(plan, store, root, new Set(["a"]))).toEqual(["reports/x"]);
  expect([
    read("metrics.json"),
    read("figures/a.svg"),
    read("figures/sub/b.svg"),
    read("timings.json"),
  ]).toEqual(["1", "A", "B", "t1"]);
  expect(statSync(join(root, "reports/x/metrics.json")).mode & 0o777).toBe(0o644);
  expect(publish(plan, store, root, new Set())).toEqual([]);
  writeFileSync(join(root, "reports/x/metrics.json"), "2");
  expect(publish(plan, store, root, new Set())).toEqual(["reports/x"]);
  expect(read("metrics.json")).toBe("1");
});

test("a folder holds what was made and nothing else, the rest of the report stays", () => {
  publish(planOf("1", { "a.svg": "A", "old.svg": "O" }, "t"), store, root, new Set());
  writeFileSync(join(root, "reports/x/notes.md"), "by hand");
  publish(planOf("1", { "a.svg": "A" }, "t"), store, root, new Set());
  expect(existsSync(join(root, "reports/x/figures/old.svg"))).toBe(false);
  expect(read("notes.md")).toBe("by hand");
});

test("what a clock wrote is copied when the stage ran or the file is missing", () => {
  publish(planOf("1", {}, "t1"), store, root, new Set());
  expect(read("timings.json")).toBe("t1");
  expect(publish(planOf("1", {}, "t2"), store, root, new Set())).toEqual([]);
  expect(read("timings.json")).toBe("t1");
  publish(planOf("1", {}, "t2"), store, root, new Set(["a"]));
  expect(read("timings.json")).toBe("t2");
});
