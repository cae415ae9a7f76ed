/** The meaning of the scheduler's states for a job. */

/** States from which a job can still come to its work; in any other, or unknown to the scheduler, it has ended. */
export const ALIVE =
  /^(PENDING|CONFIGURING|RUNNING|COMPLETING|SUSPENDED|STOPPED|REQUEUED|REQUEUE_FED|REQUEUE_HOLD|RESIZING|RESV_DEL_HOLD|SIGNALING|SPECIAL_EXIT|STAGE_OUT)$/;

/** States of a job that was lost by no fault of its own. "" is that of one the scheduler does not know. */
export const LOST = /^(|NODE_FAIL|BOOT_FAIL|PREEMPTED)$/;

/** Why jobs wait every day. */
export const USUAL = /^(None|Priority|Resources|Dependency|BeginTime|JobArrayTaskLimit|Prolog|Cleaning)$/;

/** How a job ended, in words, for each state that is its stages' or a person's doing. */
export function endOf(state: string, reason: string): string {
  switch (state) {
    case "TIMEOUT":
    case "DEADLINE":
      return 'ran into its time limit. Give the stage a longer "timeout", or "slurm.time".';
    case "OUT_OF_MEMORY":
      return 'was killed because memory ran out. Ask for more ("slurm.stages.STAGE.options": ["--mem=8G"]), or take a smaller batch.';
    case "CANCELLED":
      return "was cancelled, by a person or by Slurm.";
    default:
      return `ended (${state}${reason && reason !== "None" ? `, ${reason}` : ""}) before its stage was done.`;
  }
}
