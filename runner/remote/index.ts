export { openRemote, type RemoteOptions } from "./open.ts";
export { prepare } from "./prepare.ts";
export { SharedCache } from "./shared-cache.ts";
