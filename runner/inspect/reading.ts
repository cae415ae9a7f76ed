/** How a stage reads its own published numbers, for `explain`, `diff` and `check`: `stages/NAME/reading.ts`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CodeBook } from "../code/index.ts";
import type { InputFile, Reading, Result } from "../stage.ts";
import type { StageRecord, Store } from "../store/index.ts";
import { pointOf } from "../study/index.ts";

/**
 * The reading of a stage; undefined where it has none. It is bundled and loaded as a stage is, and takes no part
 * in its key: it changes nothing of what the stage makes.
 */
export async function readingOf(root: string, uses: string | undefined): Promise<Reading | undefined> {
  const entry = `stages/${uses}/reading.ts`;
  if (uses === undefined || !existsSync(join(root, entry))) return undefined;
  const { bundle } = (await new CodeBook(root).read([entry])).get(entry)!;
  return (await import(pathToFileURL(bundle).href)).default as Reading;
}

/** The files of a record's inputs that the store still holds whole, with the instances that made them. */
export function sourcesOf(record: StageRecord, store: Store): Record<string, InputFile[]> {
  return Object.fromEntries(
    Object.entries(record.inputs).map(([name, files]) => [
      name,
      files.flatMap(({ hash, id = "" }) => {
        const path = store.pathOf(hash);
        return path ? [{ path, id, point: pointOf(id), hash }] : [];
      }),
    ]),
  );
}

/** The record of the stage that made a file with this content; of several, the latest. */
export function makerOf(store: Store, stage: string, hash: string): StageRecord | undefined {
  let found: StageRecord | undefined;
  for (const record of store.records())
    if (
      record.stage === stage &&
      Object.values(record.outputs).some(
        (output) => output.hash === hash || output.files?.some(([, one]) => one === hash),
      ) &&
      (!found || record.ended > found.ended)
    )
      found = record;
  return found;
}

/** A published file, with its producer as far as it is known. */
export function resultOf(numbers: unknown, record: StageRecord | undefined, store: Store): Result {
  return { numbers, sources: record ? sourcesOf(record, store) : {} };
}
