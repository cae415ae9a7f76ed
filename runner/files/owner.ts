/** The process that owns something, so that others can tell whether it still runs. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

export interface Owner {
  pid: number;
  /** Start time of the process: a pid alone may have been given to another one since. */
  started: string;
  host: string;
}

/** When a process began, in the kernel's clock ticks; "" where /proc does not say, and for one that has ended. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? "" : rest[18]; // a zombie has only not been asked for its exit code
  } catch {
    return "";
  }
}

let me: Owner | undefined;
/** This process. */
export function self(): Owner {
  me ??= { pid: process.pid, started: startOf(process.pid), host: hostname() };
  return me;
}

/** Whether a process of this machine still runs. */
export function runs({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return started === startOf(pid);
}
