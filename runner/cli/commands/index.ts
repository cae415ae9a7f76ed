export { addCompletion } from "./completion.ts";
export { addMaking } from "./new.ts";
export { addSearching, SEARCHING } from "./searching.ts";
export { addSharing, remoteOption } from "./sharing.ts";
export { addUpkeep } from "./upkeep.ts";
