/** What is only half made carries the name of the process that makes it: whoever finds a dead one's removes it. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { runs, self } from "./owner.ts";

let count = 0;

/** A name that nobody else takes. The host stands last, since it may hold any sign. */
export function scratchName(name: string): string {
  const { pid, started, host } = self();
  return `${name}.${++count}.scratch-${pid}-${started}-${host}`;
}

/** Removes from a folder what processes of this machine left half made and are gone. */
export function sweep(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // nothing was ever made here
  }
  for (const name of names) {
    const [, pid, started, host] = /\.scratch-(\d+)-(\d*)-(.*)$/.exec(name) ?? [];
    // Several machines may share a store: of another one's processes nothing is known.
    if (pid === undefined || host !== self().host || runs({ pid: Number(pid), started, host })) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Writes through to the disk: after this a power cut loses nothing of the file, or of a folder's list of names. */
export function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes a folder that a power cut does not take back. */
export function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true });
  if (first !== undefined) sync(dirname(first));
}

/**
 * Replaces a file in one step: others see the old content or the new, never half of it.
 * @param scratch where the new file is made, on the same disk; beside the old one unless it is said
 * @param durable whether that holds after a power cut as well, which takes the disk some milliseconds
 */
export function replaceFile(path: string, content: string, scratch = dirname(path), durable = true): void {
  makeFolder(dirname(path));
  mkdirSync(scratch, { recursive: true });
  const half = join(scratch, scratchName(basename(path)));
  try {
    writeFileSync(half, content);
    if (durable) sync(half);
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
  if (durable) sync(dirname(path));
}
