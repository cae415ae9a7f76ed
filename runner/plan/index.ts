export type { PlanEvent } from "./events.ts";
export { codesOf, keyParts, partsOf, tolerantInputs } from "./key.ts";
export { refuseLeaks } from "./leaks.ts";
export { LIST, MEASURED_LIST, placeOf, realPath } from "./places.ts";
export { Plan } from "./plan.ts";
export { COMMAND_INPUT } from "./shell.ts";
export type { State } from "./state.ts";
export type { Task } from "./task.ts";
export { resolve } from "./tasks.ts";
