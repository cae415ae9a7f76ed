export { openRemote, prepare, type RemoteOptions, SharedCache } from "./shared-cache.ts";
