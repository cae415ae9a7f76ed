/** The published roles of images, beyond training and test. */
import { readBatches } from "../shared/artifacts/arrow.ts";

/** `[images]` zeros and ones. */
export interface PublishedRoles {
  /** The validation images; absent where none are published. */
  validation?: Uint8Array;
  /** The images that queries search, training or not; absent where the data set leaves that to the protocol. */
  searched?: Uint8Array;
  /** The images that only are searched. */
  onlySearched: Uint8Array;
}

/** Reads the published roles of tables of images, one after the other. */
export async function publishedRoles(paths: string[]): Promise<PublishedRoles> {
  const splits: string[] = [];
  for (const path of paths)
    for await (const batch of readBatches(path, "images")) splits.push(...batch.getChild("split")!);
  const those = (...wanted: string[]) => Uint8Array.from(splits, (split) => (wanted.includes(split) ? 1 : 0));
  const some = (flags: Uint8Array) => (flags.includes(1) ? flags : undefined);
  return {
    validation: some(those("validation")),
    searched: some(those("database", "train+database")),
    onlySearched: those("database"),
  };
}
