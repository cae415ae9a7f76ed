import type { SlurmSettings } from "../../study/index.ts";

/** The options of a run on a cluster. */
export interface SlurmOptions {
  root: string;
  profile: string;
  /** Cores that one job may claim at most; undefined: as many as a node has. */
  cores?: number;
  keepGoing: boolean;
  /** Whether to exit once the jobs are submitted. */
  detach: boolean;
  /** The folder that stages search for a download first; absolute. */
  mirror?: string;
  settings: SlurmSettings;
  signal: AbortSignal;
}
