/** One owner at a time for a key, across processes; a dead owner keeps nothing. */
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Owners on other machines are seen by their heartbeat only. */
const HEARTBEAT_SECONDS = 20;
const SILENT_SECONDS = 120;

interface Owner {
  pid: number;
  /** Start time of the process: a pid alone may have been given to another one since. */
  started: string;
  host: string;
}

/** When a process began, in the kernel's clock ticks; "" where /proc does not say. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return "";
  }
}

function alive(owner: Owner, path: string): boolean {
  if (owner.host !== hostname()) return Date.now() - statSync(path).mtimeMs < SILENT_SECONDS * 1000;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return owner.started === startOf(owner.pid);
}

function read(path: string): { owner: Owner; text: string } | undefined {
  try {
    const text = readFileSync(path, "utf8");
    return { owner: JSON.parse(text), text };
  } catch {
    return undefined; // gone since
  }
}

/** Gives the lock back. */
export type Release = () => void;

/**
 * Waits until `path` is ours.
 * @param waiting called once, with the owner, when another process holds it
 * @param signal ends the wait
 */
export async function lock(
  path: string,
  waiting: (owner: string) => void,
  signal?: AbortSignal,
): Promise<Release> {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}.${Math.round(performance.now() * 1e3)}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid), host: hostname() }));
  let said = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      try {
        linkSync(mine, path); // fails when the lock is there, and never shows half a file
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const held = read(path);
      if (!held) continue;
      if (!alive(held.owner, path)) {
        // Two may see the dead owner at once: the one who moved a living owner's lock away puts it back.
        const grave = `${mine}.dead`;
        try {
          renameSync(path, grave);
          if (readFileSync(grave, "utf8") !== held.text) linkSync(grave, path);
          rmSync(grave);
        } catch {} // the other one was first
        continue;
      }
      if (!said) waiting(`process ${held.owner.pid} on ${held.owner.host}`);
      said = true;
      await sleep(200);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const beat = setInterval(() => utimesSync(path, new Date(), new Date()), HEARTBEAT_SECONDS * 1000);
  beat.unref();
  return () => {
    clearInterval(beat);
    rmSync(path, { force: true });
  };
}
