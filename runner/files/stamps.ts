/** Whether files changed between two looks, though they may hold the same bytes again by the second. */
import { lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, join, parse, resolve, sep } from "node:path";
import { stamp } from "./statcache.ts";
import { treeOf } from "./tree.ts";

/** Path → size, times and inode. */
export type Stamps = Map<string, string>;

/** As the kernel: a path with more links does not resolve. */
const MOST_HOPS = 40;

/** Adds every link that a path passes through: one that is pointed elsewhere and back changes no file. */
function addLinks(path: string, stamps: Stamps, plain: Set<string>): void {
  const { root } = parse(path);
  let at = root;
  const words = path.slice(root.length).split(sep);
  let hops = 0;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const next = join(at, word);
    const stats = plain.has(next) ? undefined : lstatSync(next, { throwIfNoEntry: false });
    if (!stats?.isSymbolicLink()) {
      plain.add(next);
      at = next;
      continue;
    }
    if (++hops > MOST_HOPS) return;
    stamps.set(next, stamp(stats));
    const target = resolve(dirname(next), readlinkSync(next));
    words.unshift(...target.slice(root.length).split(sep));
    at = root;
  }
}

/**
 * The stamps of all that the paths hold: each file, each folder's list of names, and each link on the way. A name that
 * is not there is left out.
 * @param tolerant those in which what cannot be read is passed over
 * @throws UserError for what {@link treeOf} refuses
 */
export function stampsOf(paths: Iterable<string>, tolerant: Set<string> = new Set()): Stamps {
  const stamps: Stamps = new Map();
  const plain = new Set<string>();
  for (const path of new Set(paths)) {
    const { files, folders, links } = treeOf(path, undefined, tolerant.has(path));
    for (const link of [path, ...links]) addLinks(link, stamps, plain);
    // A link's own stamp is stored under its path already: its target has a key that no path can have.
    for (const { absolute, stats } of files) stamps.set(`${absolute}\0`, stamp(stats));
    for (const folder of folders) {
      const { mtimeMs, ctimeMs, ino } = statSync(folder);
      stamps.set(`${folder}\0`, `${mtimeMs}:${ctimeMs}:${ino}`);
    }
  }
  return stamps;
}

/** The paths whose stamps differ, in order; a folder only where nothing in it is named. */
export function changedBetween(before: Stamps, after: Stamps): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  const changed = [...all].filter((path) => before.get(path) !== after.get(path));
  const paths = [...new Set(changed.map((path) => path.replace("\0", "")))].sort();
  const named = new Set(paths.map((path) => dirname(path)));
  return paths.filter((path) => !named.has(path));
}
