/** One owner at a time for a key, across processes; a dead owner keeps nothing. */
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
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

/** Milliseconds since a file was last touched; undefined when it is gone. */
function age(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && Date.now() - stats.mtimeMs;
}

function alive(owner: Owner | undefined, path: string): boolean {
  if (!owner) return false; // a power cut left half a file
  if (owner.host !== hostname()) return (age(path) ?? 0) < SILENT_SECONDS * 1000;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return owner.started === startOf(owner.pid);
}

/** What a lock says; undefined when it is gone, without an owner when it is no more than half a file. */
function read(path: string): { owner?: Owner; text: string } | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  try {
    return { owner: JSON.parse(text), text };
  } catch {
    return { text };
  }
}

/** How long taking away a dead owner's lock may last; who takes longer has died over it. */
const BREAK_SECONDS = 10;

/**
 * Removes the lock of a dead owner. Of all who see it, one does so at a time and looks again before: so none
 * takes away the lock of the one who came next.
 */
function bury(path: string, text: string): void {
  const guard = `${path}.break`;
  try {
    closeSync(openSync(guard, "wx"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if ((age(guard) ?? 0) > BREAK_SECONDS * 1000) rmSync(guard, { force: true });
    return;
  }
  try {
    if (read(path)?.text === text) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
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
  const name = `${process.pid}.${Math.round(performance.now() * 1e3)}`;
  const mine = `${path}.${name}`;
  const text = JSON.stringify({ pid: process.pid, started: startOf(process.pid), host: hostname(), name });
  writeFileSync(mine, text);
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
        bury(path, held.text);
        await sleep(1); // others may be at it
        continue;
      }
      if (!said) waiting(`process ${held.owner!.pid} on ${held.owner!.host}`);
      said = true;
      await sleep(200);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const ours = () => read(path)?.text === text; // not when it was taken for dead, as after a long sleep
  const beat = setInterval(() => {
    if (ours()) utimesSync(path, new Date(), new Date());
  }, HEARTBEAT_SECONDS * 1000);
  beat.unref();
  return () => {
    clearInterval(beat);
    if (ours()) rmSync(path, { force: true });
  };
}
