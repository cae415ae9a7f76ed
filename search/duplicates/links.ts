/** Several names of one file. */
import { lstatSync, realpathSync, statSync } from "node:fs";

/** The same text for every name of a file; the path itself where it cannot be looked at. */
function identity(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return ino === 0n ? realpathSync(path) : `${dev}:${ino}`; // some file systems number no files
  } catch {
    return path; // reading it fails, and says so
  }
}

const isLink = (path: string): boolean => lstatSync(path).isSymbolicLink();

/**
 * Each file once, by a name that is no link where one is given: another name of it, a symbolic or a hard link, is no
 * copy whose removal would free a byte.
 * @returns the files, and how many names were left out
 */
export function withoutLinks(paths: Iterable<string>): { files: string[]; links: number } {
  const all = new Set(paths);
  const names = new Map<string, string>();
  for (const path of all) {
    const file = identity(path);
    const before = names.get(file);
    if (before === undefined || (isLink(before) && !isLink(path))) names.set(file, path);
  }
  return { files: [...names.values()], links: all.size - names.size };
}
