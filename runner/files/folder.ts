/** Folders: is a path one, and which paths are below it. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";

/** Undefined where nothing is, nothing can be (below a file), or the person may not look. Follows links. */
export function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory();
  } catch {
    return undefined;
  }
}

/** Whether an absolute path is a folder or below it, by the names alone. */
export const isWithin = (path: string, folder: string): boolean =>
  `${path}${sep}`.startsWith(`${folder}${sep}`.replace(/[\\/]+$/, sep));

/** An absolute path without links in it; of a missing file, that of the folder it will be in. */
export function realPlace(path: string): string {
  return existsSync(path) || path === dirname(path)
    ? realpathSync(path)
    : join(realPlace(dirname(path)), basename(path));
}
