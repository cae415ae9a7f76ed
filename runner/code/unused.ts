/** The bundles of packages that runs still use, and the removal of the others. */
import { readdirSync, renameSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { removeTree, scratchName, sweep } from "../files/index.ts";

/** The file that says what a folder of bundled packages holds; its time says when a run last used it. */
export const LIST = "packages.json";

const FOLDER = /^packages-[0-9a-f]{16}(?:-\d+)?$/;

/** Age of a folder that no run uses any more: none lasts for a month. */
const UNUSED_MILLISECONDS = 30 * 24 * 3600 * 1000;

/** Notes that a run uses a folder, and removes there what killed stages left. */
export function use(folder: string): void {
  const now = new Date();
  try {
    utimesSync(join(folder, LIST), now, now);
  } catch {} // another user's: that one's runs note it
  sweep(folder);
}

/** Removes from the cache the folders that no run used for a month. */
export function removeUnused(cache: string): void {
  const before = Date.now() - UNUSED_MILLISECONDS;
  for (const name of readdirSync(cache)) {
    if (!FOLDER.test(name)) continue;
    const folder = join(cache, name);
    const options = { throwIfNoEntry: false } as const;
    const stats = statSync(join(folder, LIST), options) ?? statSync(folder, options);
    if (!stats || stats.mtimeMs > before) continue;
    try {
      const scratch = join(cache, scratchName("packages")); // a kill leaves no folder that looks whole
      renameSync(folder, scratch);
      removeTree(scratch);
    } catch {} // another run removes it, or it is another user's
  }
}
