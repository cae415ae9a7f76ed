/** Temporary files carry the name of the process that writes them; the next run removes those of dead processes. */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { runs, self } from "./owner.ts";

/** Told of what could not be done, and on which nothing depends. */
export const minor = { warn: (line: string): void => console.error(`! ${line}`) };

let count = 0;

/** A name of {@link scratchName}: the process, when it began, and its host. */
export const SCRATCH_NAME = /\.scratch-(\d+)-(\d*)-(.*)$/;

/** A unique name. The host comes last, since it may contain any character. */
export function scratchName(name: string): string {
  const { pid, started, host } = self();
  return `${name}.${++count}.scratch-${pid}-${started}-${host}`;
}

/** Lets the owner of a folder change it and all folders below: a stage may have made them read-only. Follows no link. */
export function makeWritable(folder: string): void {
  const { mode } = lstatSync(folder);
  if ((mode & 0o700) !== 0o700) chmodSync(folder, (mode & 0o777) | 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) makeWritable(join(folder, entry.name));
}

/** Removes a file, a link, or a folder with all that is in it, read-only folders too. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!["EACCES", "EPERM", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    makeWritable(path);
    rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Removes from a folder the temporary files of processes of this machine that are gone. One that cannot be removed is in
 * nobody's way: it is a warning.
 */
export function sweep(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // nothing was ever made here
  }
  for (const name of names) {
    const [, pid, started, host] = SCRATCH_NAME.exec(name) ?? [];
    // Several machines may share a store: of another one's processes nothing is known.
    if (pid === undefined || host !== self().host || runs({ pid: Number(pid), started, host })) continue;
    try {
      removeTree(join(folder, name));
    } catch (error) {
      minor.warn(`${join(folder, name)} of a killed run could not be removed (${(error as Error).message}).`);
    }
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

/** The files that {@link replaceCache} has warned of. */
const unwritable = new Set<string>();

/**
 * Replaces a file that only saves time, as {@link replaceFile} does: where it may not be written the work goes on
 * without it, after one warning.
 */
export function replaceCache(path: string, content: string, scratch?: string): void {
  try {
    replaceFile(path, content, scratch, false);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (["ENOSPC", "EDQUOT", "EIO"].includes(code ?? "")) throw error; // the next thing that is written fails too
    if (unwritable.has(path)) return;
    unwritable.add(path);
    minor.warn(`${path} could not be written (${message}). It only saves time: the run goes on without it.`);
  }
}
