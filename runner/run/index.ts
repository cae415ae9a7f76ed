export { type RunOptions, runIn } from "./attempt.ts";
export { type EventOf, Events, type Listener, type RunEvent } from "./events.ts";
export { execute, type Summary } from "./execute.ts";
export type { Executor, Job, Outcome } from "./executor.ts";
export { type Failure, StageError, stageErrorOf, toStageError } from "./failure.ts";
export { capacityOf, checkClaims, coresOf, leastOf } from "./resources.ts";
