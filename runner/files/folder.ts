/** Whether a path is a folder, links followed. */
import { statSync } from "node:fs";

/** Undefined where nothing is, nothing can be (below a file), or the person may not look. */
export function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory();
  } catch {
    return undefined;
  }
}
