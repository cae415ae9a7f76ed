/** Unfinished downloads: each belongs to one process, and what a dead process left is resumed by another. */
import { readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** A download of another machine that has not grown for so long is dead: a living one gives up long before. */
const DEAD_AFTER_MILLISECONDS = 60 * 60_000;

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/**
 * When a process began, in the kernel's clock ticks; "" where /proc does not tell, and for one that has ended. With
 * its number and its host this is a process's identity, as in runner/files/owner.ts, which stages may not import.
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? "" : rest[18];
  } catch {
    return "";
  }
}

function runs(pid: number, started: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return started === startOf(pid);
}

/** Whether the process that was writing an unfinished download has ended. @param owner as `PID-STARTED-HOST` */
function isDead(path: string, owner: string): boolean {
  const [, pid, started, host] = /^(\d+)-(\d*)-(.*)$/.exec(owner) ?? [];
  if (host === hostname()) return !runs(Number(pid), started);
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > DEAD_AFTER_MILLISECONDS;
}

/**
 * The path to collect a download under. Each process has its own, so that two never write into one file; the
 * largest that a dead process left there is taken over.
 * @param path of the finished download
 */
export function partOf(path: string, sha256: string): string {
  const folder = dirname(path);
  const stem = `${basename(path)}.${sha256.slice(0, 8)}.`;
  const own = join(folder, `${stem}${process.pid}-${startOf(process.pid)}-${hostname()}.part`);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(stem) || !name.endsWith(".part")) continue;
    const left = join(folder, name);
    if (left === own || !isDead(left, name.slice(stem.length, -".part".length))) continue;
    try {
      if (sizeOf(left) > sizeOf(own)) renameSync(left, own);
      else rmSync(left);
    } catch {} // another process was faster
  }
  return own;
}
