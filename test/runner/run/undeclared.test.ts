import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Task } from "../../../runner/plan/tasks.ts";
import { beyondDeclared } from "../../../runner/run/undeclared.ts";

test("a trace that a full disk cut is read as far as it goes", () => {
  const root = mkdtempSync(join(tmpdir(), "deephash-undeclared-"));
  const path = (name: string) => join(root, name);
  const line = (name: string) => JSON.stringify(`r${path(name)}`);
  const trace = path("trace");
  writeFileSync(trace, `\n${line("a.txt")}\n${line("b.txt").slice(0, -9)}\n${line("c.txt")}\n"r`);
  const place = { root, cache: path("cache"), scratch: path("scratch"), log: path("log") };
  expect(beyondDeclared({ inputs: {} } as Task, trace, place)).toMatch(/^reads a\.txt, c\.txt, which/);
  rmSync(root, { recursive: true });
});
