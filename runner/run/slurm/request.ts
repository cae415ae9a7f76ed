/** The request of a job to the cluster, as options of sbatch. */
import type { Task } from "../../plan/index.ts";
import { requestOf, type SlurmSettings } from "../../study/index.ts";
import { shellWord } from "../../text/index.ts";
import { coresOf } from "../index.ts";

/** The time of a job beside its stages: Node's start, hashing, the store. */
const SPARE_SECONDS = 60;

/** The unit M of sbatch. */
const MEBIBYTE = 1 << 20;

/** The partition of a stage's jobs; undefined for the cluster's own choice. */
export const partitionOf = (stage: string, settings: SlurmSettings): string | undefined =>
  requestOf(settings, stage).partition ?? process.env.SBATCH_PARTITION;

/**
 * The request of one task, as options of sbatch; its time limit is left out where {@link limitOf} states it.
 * @param cores how many a job of its stage may have
 */
export function requestsOf(task: Task, settings: SlurmSettings, cores: number): string[] {
  const { partition, account, time, options } = requestOf(settings, task.stage);
  return [
    `--cpus-per-task=${coresOf(task, cores)}`,
    ...(task.memory === undefined ? [] : [`--mem=${Math.ceil(task.memory / MEBIBYTE)}M`]),
    ...(task.gpu ? [`--gres=gpu:${task.gpu}`] : []),
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(time === undefined || task.timeout !== undefined ? [] : [`--time=${time}`]),
    ...options,
  ];
}

/** Minutes until jobs that run these tasks, one after another, are ended; undefined where a task states no timeout. */
export function limitOf(jobs: Task[][]): number | undefined {
  const seconds = jobs.map((tasks) =>
    tasks.reduce((sum, { timeout = Number.NaN, retries }) => sum + timeout * (retries + 1), SPARE_SECONDS),
  );
  const minutes = Math.ceil(Math.max(...seconds) / 60);
  return Number.isNaN(minutes) ? undefined : minutes;
}

/**
 * All that sbatch is told of an array beside its script.
 * @param folder where its logs go, @param indices "0-3,7", @param waitsFor "" for nothing
 */
export function sbatchOptions(
  { root, folder, indices, waitsFor }: { root: string; folder: string; indices: string; waitsFor: string },
  minutes: number | undefined,
  requests: string[],
): string[] {
  return [
    "--nodes=1",
    "--ntasks=1",
    "--requeue", // a node that fails sends its jobs to another one
    "--kill-on-invalid-dep=yes", // nothing waits for ever for what has failed
    "--open-mode=append",
    `--chdir=${root}`,
    `--output=${folder.replaceAll("%", "%%")}/%A_%a.log`,
    `--array=${indices}`,
    ...(waitsFor ? [`--dependency=${waitsFor}`] : []),
    ...(minutes === undefined ? [] : [`--time=${minutes}`]),
    ...requests,
  ];
}

/** The script of a job. @param words the command, each word quoted here */
export const scriptOf = (words: string[]): string => `#!/bin/sh\nexec ${words.map(shellWord).join(" ")}\n`;
