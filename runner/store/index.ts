export type { StoreEvent } from "./events.ts";
export { filesBelow } from "./folder.ts";
export { type Garbage, type GcOptions, garbage, remove } from "./gc.ts";
export { mergeFault } from "./listing.ts";
export {
  hashesOf,
  isFolder,
  machineHere,
  type Origin,
  outputsFault,
  recordFault,
  type StageRecord,
  type StoredOutput,
} from "./record.ts";
export { RECORD_SCHEMA } from "./record-schema.ts";
export { makeSigner, readSigner, type Signer, signedBy, signingKeyPath, trustedKeys } from "./signing.ts";
export { Store } from "./store.ts";
