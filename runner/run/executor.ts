/** The interface of an executor: it runs one stage instance somewhere, and reports its progress. */
import type { Task } from "../plan/index.ts";
import type { CheckpointPlace, DownloadFolders, InputFile, Scalar, UpstreamRun } from "../stage.ts";

/** One stage instance, ready to run. All paths are absolute. */
export interface Job {
  task: Task;
  /** Where the bundle of its code is that its process loads, by the bundle of the key. */
  start: Map<string, string>;
  /** The project's folder, the working directory of the stage. */
  root: string;
  inputs: Record<string, InputFile[]>;
  outputs: Record<string, string>;
  upstream: UpstreamRun[];
  cpus: number;
  downloads: DownloadFolders;
  checkpoint?: CheckpointPlace;
  /** GPUs that are its own, as CUDA calls them; none where it claims none. */
  gpus: string[];
  /** The file its output and log lines go to. */
  log: string;
  /** The file that tells what it opened. See trace.ts. */
  trace: string;
  /** Whether its process may be one that ran an instance of the same stage before, and may run one after it. */
  reusable: boolean;
  signal: AbortSignal;
  /** @param megabytes of memory that it takes just now, where that is known */
  onProgress(done: number, total: number, unit: string, megabytes?: number): void;
  onWarn(line: string): void;
}

/** The result of a job that ended well. */
export interface Outcome {
  notes: Record<string, Scalar>;
  peakMegabytes: number;
}

export interface Executor {
  /** @throws StageError */
  (job: Job): Promise<Outcome>;
  /** Ends what it keeps for further jobs, when there are none. */
  close?(): Promise<void>;
}
