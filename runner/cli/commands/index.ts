export { addMaking } from "./new.ts";
export { addSharing, remoteOption } from "./sharing.ts";
export { addUpkeep } from "./upkeep.ts";
