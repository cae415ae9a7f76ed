/** The block `slurm:` of pipeline.yaml: what the cluster is asked for. */

/** The options of `sbatch` of one stage, or of all. */
export interface SlurmRequest {
  partition?: string;
  account?: string;
  /** The limit of a stage that states no `timeout`, as sbatch takes it: "30", "2:00:00", "1-12". */
  time?: string | number;
  /** Anything else sbatch takes, as `--gres=gpu:1`. */
  options?: string[];
}

export interface SlurmSettings extends SlurmRequest {
  /** Seconds of short stages that one job may hold; 0 puts each stage into a job of its own. Default 300. */
  group?: number;
  /** Seconds between two looks at the queue. Default 10. */
  poll?: number;
  /** Stage name → what it asks for in place of the rest. */
  stages?: Record<string, SlurmRequest>;
}

export const GROUP_SECONDS = 300;
export const POLL_SECONDS = 10;

/** The settings of a stage: its own in the place of the common ones, its options after the common ones. */
export function requestOf(
  settings: SlurmSettings,
  stage: string,
): Required<Pick<SlurmRequest, "options">> & SlurmRequest {
  const own = settings.stages?.[stage] ?? {};
  return {
    partition: own.partition ?? settings.partition,
    account: own.account ?? settings.account,
    time: own.time ?? settings.time,
    options: [...(settings.options ?? []), ...(own.options ?? [])],
  };
}
