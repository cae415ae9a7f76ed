/**
 * The store of results: objects by the hash of their content, records by the key of what made them. For programs that
 * read what a pipeline made, while others write.
 *
 * @example
 * const store = new Store("cache");
 * const record = store.record(store.latest("sample").report);
 * const [[path, object]] = store.filesOf(record.outputs.metrics);
 * @module
 */

export { hashFile } from "../runner/files/index.ts";
export type { Origin, StageRecord, StoredOutput } from "../runner/store/index.ts";
export { Store } from "../runner/store/index.ts";
