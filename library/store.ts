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

export type { Origin, StageRecord, StoredOutput } from "../runner/record.ts";
export { hashFile } from "../runner/statcache.ts";
export { Store } from "../runner/store.ts";
