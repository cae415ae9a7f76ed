/** Gives the tests a folder of their own for temporary files, and removes it after the last one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "deephash-tests-"));
  process.env.TMPDIR = folder; // the workers, and what they start, inherit it
  return () => rmSync(folder, { recursive: true, force: true });
}
