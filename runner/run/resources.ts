/** The resources of a run: cores, memory and GPUs; and the share that each stage holds. */
import { existsSync, readdirSync } from "node:fs";
import { totalmem } from "node:os";
import type { Task } from "../plan/index.ts";
import { UserError } from "../stage.ts";
import { size } from "../text/index.ts";

export interface Capacity {
  cpus: number;
  bytes: number;
  /** Their names for CUDA. */
  gpus: string[];
}

const NVIDIA = "/proc/driver/nvidia/gpus";

/**
 * The GPUs a run may claim: those CUDA_VISIBLE_DEVICES leaves, else those the driver names.
 * @param count so many of them; more than are seen where the machine hides them
 */
export function gpusOf(count: number | undefined, visible = process.env.CUDA_VISIBLE_DEVICES): string[] {
  const seen =
    visible !== undefined
      ? visible
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one !== "" && one !== "-1")
      : existsSync(NVIDIA)
        ? readdirSync(NVIDIA).map((_, index) => String(index))
        : [];
  if (count === undefined) return seen;
  return Array.from({ length: count }, (_, index) => seen[index] ?? String(index));
}

/** The resources of this machine, within the limits of the command line. */
export function capacityOf(given: { jobs: number; memory?: number; gpus?: number }): Capacity {
  return {
    cpus: given.jobs,
    bytes: given.memory ?? totalmem(),
    gpus: gpusOf(given.gpus),
  };
}

/** Cores a task can have at most: never more than there are, it then runs with fewer. */
export const coresOf = ({ cpus: wanted }: Pick<Task, "cpus">, cpus: number): number =>
  typeof wanted === "number" ? Math.min(wanted, cpus) : cpus;

/** Cores without which a task does not start. */
export const leastOf = (task: Pick<Task, "cpus">, cpus: number): number =>
  task.cpus === "free" ? 1 : coresOf(task, cpus);

/** The resources of a task that runs. */
export interface Share {
  cores: number;
  /** That are its own, as CUDA calls them. */
  gpus: string[];
}

/** @throws UserError when a task claims more memory, or more GPUs, than the whole run has */
export function checkClaims(tasks: Task[], { bytes, gpus }: Capacity): void {
  for (const task of tasks) {
    if ((task.memory ?? 0) > bytes)
      throw new UserError(
        `${task.at("memory")} ${task.id} claims ${size(task.memory!)} of memory, but the run has ${size(bytes)}. Claim less, or give the run more with --memory.`,
      );
    if ((task.gpu ?? 0) > gpus.length)
      throw new UserError(
        `${task.at("gpu")} ${task.id} claims ${task.gpu} GPU${task.gpu === 1 ? "" : "s"}, but the run has ${gpus.length || "none"}. Run it on a machine with more, or say with --gpus how many there are.`,
      );
  }
}

/** The free part of a capacity. */
export class Pool {
  private cpus: number;
  private bytes: number;
  private readonly gpus: string[];
  private readonly capacity: Capacity;
  private readonly held = new Map<Task, Share>();

  constructor(capacity: Capacity) {
    this.capacity = capacity;
    this.cpus = capacity.cpus;
    this.bytes = capacity.bytes;
    this.gpus = [...capacity.gpus];
  }

  fits(task: Task): boolean {
    return (
      leastOf(task, this.capacity.cpus) <= this.cpus &&
      (task.memory ?? 0) <= this.bytes &&
      (task.gpu ?? 0) <= this.gpus.length
    );
  }

  /** Whether no task fits, since each claims a core. */
  get isFull(): boolean {
    return this.cpus <= 0;
  }

  /** Takes what a task claims at least. */
  take(task: Task): void {
    const cores = leastOf(task, this.capacity.cpus);
    this.cpus -= cores;
    this.bytes -= task.memory ?? 0;
    this.held.set(task, { cores, gpus: this.gpus.splice(0, task.gpu ?? 0) });
  }

  /** Shares the cores that are left among those of the tasks that take the free ones. */
  shareOut(tasks: Task[]): void {
    const takers = tasks.filter(({ cpus }) => cpus === "free");
    for (const [index, task] of takers.entries()) {
      const more = Math.ceil(this.cpus / (takers.length - index));
      this.held.get(task)!.cores += more;
      this.cpus -= more;
    }
  }

  /** The share of a task that has taken it. */
  shareOf(task: Task): Share {
    return this.held.get(task)!;
  }

  give(task: Task): void {
    const { cores, gpus } = this.shareOf(task);
    this.cpus += cores;
    this.bytes += task.memory ?? 0;
    this.gpus.push(...gpus);
    this.held.delete(task);
  }
}
