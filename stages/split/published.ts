/** Which images a data set publishes for validation. */
import { readBatches } from "../shared/artifacts/tables.ts";

/** `[images]`, 1 for a validation image; undefined where none is published. */
export async function publishedValidation(path: string): Promise<Uint8Array | undefined> {
  const flags: number[] = [];
  for await (const batch of readBatches(path, "images"))
    for (const split of batch.getChild("split")!) flags.push(split === "validation" ? 1 : 0);
  return flags.includes(1) ? Uint8Array.from(flags) : undefined;
}
