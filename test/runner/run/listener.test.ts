import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "../../../runner/files/statcache.ts";
import { Plan } from "../../../runner/plan/plan.ts";
import type { Task } from "../../../runner/plan/task.ts";
import type { RunOptions } from "../../../runner/run/attempt.ts";
import { Events } from "../../../runner/run/events.ts";
import { execute } from "../../../runner/run/execute.ts";
import { Store } from "../../../runner/store/store.ts";

test("a listener that throws ends the run, whose caller is told", async () => {
  const root = mkdtempSync(join(tmpdir(), "deephash-listener-"));
  const store = new Store(join(root, "cache"));
  const task = {
    ...{
      id: "one",
      stage: "s",
      point: {},
      inputs: {},
      with: {},
      retries: 0,
      at: () => "",
      params: {},
      parts: {},
    },
    ...{ many: [], named: [], tolerant: [], outputs: { o: { path: "o.json", measured: false } }, cpus: 1 },
    codeHash: sha256("code"),
  } as unknown as Task;
  const plan = new Plan([task], store, root, new Set(), {});
  const remote = { record: () => Promise.reject(new Error("no answer")), name: "remote", count: {} };
  const events = new Events();
  events.listen({
    failed() {
      throw new Error("the disk of the journal is full");
    },
  });
  const executor = () => Promise.reject(new Error("nothing is to run"));
  const { signal } = new AbortController();
  const options = { root, remote, jobs: 1, executor, signal } as unknown as RunOptions;
  await expect(execute(plan, store, options, events)).rejects.toThrow("the disk of the journal is full");
  rmSync(root, { recursive: true });
});
