export type { PlanEvent } from "./events.ts";
export { refuseLeaks } from "./leaks.ts";
export { LIST, MEASURED_LIST, placeOf, realPath } from "./places.ts";
export { codesOf, keyParts, Plan, partsOf, type State, tolerantInputs } from "./plan.ts";
export { COMMAND_INPUT, resolve, type Task } from "./tasks.ts";
