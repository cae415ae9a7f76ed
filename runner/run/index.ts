export { type Events, execute, type RunOptions, runIn, type Summary } from "./execute.ts";
export { type Executor, type Job, StageError } from "./executor.ts";
export { capacityOf, checkClaims, coresOf } from "./resources.ts";
