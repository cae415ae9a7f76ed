import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Task } from "../../../runner/plan/task.ts";
import { beyondDeclared } from "../../../runner/run/undeclared.ts";

test("a trace that a full disk cut is read as far as it goes", () => {
  const root = mkdtempSync(join(tmpdir(), "deephash-undeclared-"));
  const path = (name: string) => join(root, name);
  const line = (name: string) => JSON.stringify(`r${path(name)}`);
  const trace = path("trace");
  writeFileSync(trace, `\n${line("a.txt")}\n${line("b.txt").slice(0, -9)}\n${line("c.txt")}\n"r`);
  const place = {
    root,
    cache: path("cache"),
    scratch: path("scratch"),
    log: path("log"),
    downloads: { kept: path("cache/downloads") },
  };
  expect(beyondDeclared({ inputs: {} } as Task, trace, place)).toMatch(/^reads a\.txt, c\.txt, which/);
  rmSync(root, { recursive: true });
});

test("reads of downloads, and of the mirror that the run names, are declared", () => {
  const root = mkdtempSync(join(tmpdir(), "deephash-undeclared-"));
  const path = (name: string) => join(root, name);
  const trace = path("trace");
  const read = ["cache/downloads/a", "mirror/b"].map((name) => JSON.stringify(`r${path(name)}`));
  writeFileSync(trace, read.join("\n"));
  const place = { root, cache: path("cache"), scratch: path("scratch"), log: path("log") };
  const reads = (mirror?: string) =>
    beyondDeclared({ inputs: {} } as Task, trace, {
      ...place,
      downloads: { kept: path("cache/downloads"), mirror },
    });
  expect(reads(path("mirror"))).toBe("");
  expect(reads()).toMatch(/^reads mirror\/b, which/);
  rmSync(root, { recursive: true });
});
