/** How a stage can fail, and the one place where something thrown becomes such a failure. */
import { isUserError } from "../stage.ts";
import { diskFault, isDiskFault, thrown } from "../text/index.ts";

/** A failed stage. It crosses the channel from the stage's process, and the journal of a job on a cluster. */
export interface Failure {
  /**
   * Invalid input of a person (exit code 2; a retry would not help); an error of the stage's own code; a process that
   * ended before its stage did; a stage over its timeout; a disk that failed or is full.
   */
  kind: "user" | "stage" | "killed" | "timeout" | "disk";
  /** One line, to follow the stage's id. */
  message: string;
  /** The stack, for the log and --debug; "" for none. */
  detail: string;
}

/** A {@link Failure} as it is thrown. */
export class StageError extends Error {
  override name = "StageError";
  readonly failure: Failure;

  constructor(message: string, kind: Failure["kind"] = "stage", detail = "") {
    super(message);
    this.failure = { kind, message, detail };
  }
}

/** A failure that another process told. */
export const stageErrorOf = ({ message, kind, detail }: Failure): StageError =>
  new StageError(message, kind, detail);

/** Anything thrown, as the failure of a stage. */
export function toStageError(error: unknown): StageError {
  if (error instanceof StageError) return error;
  const { stack, ...rest } = thrown(error);
  const kind = isUserError(error) ? "user" : isDiskFault(rest) ? "disk" : "stage";
  return new StageError(diskFault(rest).split("\n")[0], kind, stack);
}
