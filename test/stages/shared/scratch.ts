/** Folders that are gone when the test file has ended, and what stages find in the environment. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A new empty folder. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "deephash-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file into a folder and returns its path and sha256. */
export function put(folder: string, name: string, bytes: Uint8Array): { path: string; sha256: string } {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, sha256: createHash("sha256").update(bytes).digest("hex") };
}
