/** One owner at a time for a key, across processes; a dead owner keeps nothing. */
import { linkSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scratchName } from "./atomic.ts";
import { type Owner, runs, self } from "./owner.ts";
import { readOwn } from "./regular.ts";

/** Owners on other machines are seen by their heartbeat only. */
const HEARTBEAT_SECONDS = 20;
const SILENT_SECONDS = 120;

/** Milliseconds since a file was last touched; undefined when it is gone. */
function age(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && Date.now() - stats.mtimeMs;
}

function alive(owner: Owner | undefined, path: string): boolean {
  if (!owner) return false; // a power cut left half a file
  return owner.host === self().host ? runs(owner) : (age(path) ?? 0) < SILENT_SECONDS * 1000;
}

/** Says to other machines that the owner of this file lives. */
function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

/**
 * The content of a lock; undefined when it is gone, without an owner when it is truncated.
 * @throws UserError when something else than a file is in its place, which no waiting takes away
 */
function read(path: string): { owner?: Owner; text: string } | undefined {
  let text: string;
  try {
    text = readOwn(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const owner = JSON.parse(text);
    return isOwner(owner) ? { owner, text } : { text };
  } catch {
    return { text };
  }
}

const isOwner = (value: Owner | null): value is Owner =>
  Number.isSafeInteger(value?.pid) &&
  value!.pid > 0 &&
  typeof value!.started === "string" &&
  typeof value!.host === "string";

/** The names that locks have: of a key, of a run, of who collects garbage. */
const LOCK = /^([0-9a-f]{64}|run-\d+-\d*-.*|gc)(\.break)?$/;

/** Beside a lock, the lock of who takes it away. */
const BREAK = ".break";

/**
 * Removes the lock of a dead owner. Of all who see it, one does so at a time and looks again before: so none
 * takes away the lock of the one who came next.
 * @param mine a file that names this process
 */
function bury(path: string, text: string, mine: string): void {
  const guard = `${path}${BREAK}`;
  try {
    linkSync(mine, guard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const held = read(guard);
    if (held && !alive(held.owner, guard)) rmSync(guard, { force: true }); // who held it died over it
    return;
  }
  try {
    if (read(path)?.text === text) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/** A file in `scratch` that names this process: what a lock is a link to. */
function sign(path: string, scratch: string): { mine: string; text: string } {
  const name = scratchName(basename(path));
  const mine = join(scratch, name);
  const text = JSON.stringify({ ...self(), name });
  mkdirSync(scratch, { recursive: true });
  try {
    writeFileSync(mine, text);
  } catch (error) {
    rmSync(mine, { force: true });
    throw error;
  }
  return { mine, text };
}

/**
 * Removes the locks that dead owners left in a folder.
 * @returns those that are held, by name
 */
export function sweepLocks(folder: string, scratch: string): Map<string, Owner> {
  const held = new Map<string, Owner>();
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {} // no lock was ever taken
  for (const name of names) {
    if (!LOCK.test(name)) continue;
    const path = join(folder, name);
    const found = read(path);
    if (!found) continue;
    if (alive(found.owner, path)) held.set(name, found.owner!);
    else if (name.endsWith(BREAK)) rmSync(path, { force: true });
    else {
      const { mine } = sign(path, scratch);
      try {
        bury(path, found.text, mine);
      } finally {
        rmSync(mine, { force: true });
      }
    }
  }
  return held;
}

/** Gives the lock back. */
export type Release = () => void;

/**
 * Waits until `path` is ours.
 * @param waiting called once, with the owner, when another process holds it
 * @param signal ends the wait
 * @param scratch a folder on the same disk for an incomplete lock
 */
export async function lock(
  path: string,
  waiting: (owner: string) => void,
  signal?: AbortSignal,
  scratch = dirname(path),
): Promise<Release> {
  mkdirSync(dirname(path), { recursive: true });
  const { mine, text } = sign(path, scratch);
  let said = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      touch(mine); // the lock has its time: after a long wait it must not look like a dead one's
      try {
        linkSync(mine, path); // fails when the lock is there, and never shows half a file
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const held = read(path);
      if (!held) continue;
      if (!alive(held.owner, path)) {
        bury(path, held.text, mine);
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
    try {
      if (ours()) touch(path);
    } catch {} // a disk that fails now and then: the next beat may be seen
  }, HEARTBEAT_SECONDS * 1000);
  beat.unref();
  return () => {
    clearInterval(beat);
    if (ours()) rmSync(path, { force: true });
  };
}
