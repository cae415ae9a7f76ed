/** The folders whose images an index holds: which images they have now, and how a person changes them. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import ignore from "ignore";
import { isWithin } from "../../runner/files/index.ts";
import { UserError } from "../../runner/stage.ts";
import type { Root } from "../../stages/shared/search-index.ts";
import { shown } from "../../stages/shared/text.ts";
import { photosIn } from "../photos.ts";

/** An image of a root. */
export interface Photo {
  /** Place of its root in the list. */
  root: number;
  /** Below the root, with "/". */
  name: string;
  /** By the folders that it is in; "" where they name none. */
  class: string;
}

/** The absolute path of an image of some roots. */
export const pathOf = (roots: Root[], { root, name }: Photo): string => join(roots[root].path, name);

/** The path of a file below a folder, with "/". */
const below = (folder: string, path: string) => relative(folder, path).replaceAll(sep, "/");

/** Whether a name is that of a folder or a file in it. */
const isPart = (name: string, folder: string) => name === folder || name.startsWith(`${folder}/`);

/** @throws UserError when a pattern is empty */
function patternsOf(exclude: string[]): { exclude?: string[] } {
  if (exclude.some((pattern) => pattern.trim() === ""))
    throw new UserError("index: --exclude needs a pattern, as in a .gitignore: '*.gif', 'raw/'.");
  return exclude.length > 0 ? { exclude } : {};
}

/** The root that a path is: a folder, or one file of its folder. @throws UserError when nothing is there */
export function rootOf(path: string, exclude: string[] = []): Root {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new UserError(`${shown(path)}: no such file or folder.`);
  return stats.isDirectory()
    ? { path, ...patternsOf(exclude) }
    : { path: dirname(path), only: [basename(path)] };
}

/** The roots of a new index. @throws UserError when one is within another */
export function rootsOf(paths: string[], exclude: string[]): Root[] {
  return paths.reduce<Root[]>((roots, path) => withPath(roots, path, exclude).roots, []);
}

/** Lists the images of a root, and reports the files that it skips. @throws UserError when it is not there */
export function photosOf(roots: Root[], at: number): Photo[] {
  const root = roots[at];
  const { path, exclude = [], only } = root;
  if (!existsSync(path))
    throw new UserError(
      `index: ${shown(path)}: no such folder. If it has moved, name its new place: npx deephash index update --root ${JSON.stringify(`${path}=NEW`)}. If its images are to leave the index: npx deephash index remove ${JSON.stringify(path)}`,
    );
  if (only)
    return only.filter((name) => existsSync(join(path, name))).map((name) => ({ root: at, name, class: "" }));
  const patterns = ignore().add(exclude);
  const photos = photosIn(path, (name) => patterns.ignores(name) || !holds(root, name.replace(/\/$/, "")));
  return photos.map((photo) => ({ root: at, ...photo }));
}

/** Whether a root takes a file, as far as that was said of the file itself. */
export const holds = ({ removed = [], only }: Root, name: string): boolean =>
  !removed.some((one) => isPart(name, one)) && (!only || only.includes(name));

/** Roots after a change; `scan` are the places of those whose files are looked at. */
export interface Change {
  roots: Root[];
  scan: Set<number>;
}

/**
 * Adds a folder or a file. Within a root it adds the removed paths again.
 * @throws UserError when a root is within it, or it is within a removed folder
 */
export function withPath(roots: Root[], path: string, exclude: string[] = []): Change {
  const added = rootOf(path, exclude);
  const own = roots.findIndex((root) => !root.only && isWithin(path, root.path));
  if (own >= 0) return { roots: roots.with(own, takenBack(roots[own], path, exclude)), scan: new Set([own]) };
  if (added.only) {
    const beside = roots.findIndex((root) => root.only && root.path === added.path);
    if (beside >= 0) {
      const only = [...new Set([...roots[beside].only!, ...added.only])].sort();
      return { roots: roots.with(beside, { ...roots[beside], only }), scan: new Set([beside]) };
    }
  } else {
    const inner = roots.find((root) => isWithin(root.path, added.path));
    if (inner)
      throw new UserError(
        `index: ${shown(path)} holds ${shown(inner.path)}, of which the index has images already. Remove that first: npx deephash index remove ${JSON.stringify(inner.path)}`,
      );
  }
  return { roots: [...roots, added], scan: new Set([roots.length]) };
}

/** A root without the exclusions at a path, or below it. */
function takenBack(root: Root, path: string, exclude: string[]): Root {
  const name = below(root.path, path);
  const { removed = [], exclude: before = [], ...rest } = root;
  if (exclude.length > 0 && name !== "")
    throw new UserError(
      `index: ${shown(path)} is within ${shown(root.path)}, which is in the index: write --exclude for that folder.`,
    );
  const above = removed.find((one) => one !== name && isPart(name, one));
  if (above)
    throw new UserError(
      `index: ${shown(path)} was removed together with ${shown(join(root.path, above))}. Add that folder, or remove less.`,
    );
  const left = removed.filter((one) => name !== "" && !isPart(one, name));
  const patterns = patternsOf([...new Set([...before, ...exclude])]);
  return { ...rest, ...patterns, ...(left.length > 0 && { removed: left }) };
}

/** Takes a folder or file out, which need not be there any more. @throws UserError when no root is at, above or below it */
export function withoutPath(roots: Root[], path: string): Root[] {
  const left = roots.flatMap((root): Root[] => {
    if (isWithin(root.path, path)) return [];
    if (!isWithin(path, root.path)) return [root];
    const name = below(root.path, path);
    if (!root.only) return [{ ...root, removed: [...new Set([...(root.removed ?? []), name])].sort() }];
    const only = root.only.filter((one) => one !== name);
    return only.length > 0 ? [{ ...root, only }] : [];
  });
  if (left.length === roots.length && left.every((root, at) => root === roots[at]))
    throw new UserError(
      `index: ${shown(path)}: the index has no image there. It has those of ${roots.map((root) => shown(root.path)).join(", ")}.`,
    );
  return left;
}

/** Whether two roots may hold the same file, or one holds the folder of the other. */
const overlap = (one: Root, other: Root): boolean =>
  one.path === other.path ||
  (!one.only && isWithin(other.path, one.path)) ||
  (!other.only && isWithin(one.path, other.path));

/** @throws UserError when a root that has moved is at the place of another, or one is within the other */
function checkPlaces(before: Root[], after: Root[]): void {
  for (const [at, one] of after.entries())
    for (const [place, other] of after.entries())
      if (place !== at && one.path !== before[at].path && overlap(one, other))
        throw new UserError(
          `index: --root: ${shown(before[at].path)} would be at ${shown(one.path)}, and ${shown(before[place].path)} at ${shown(other.path)}: each needs a folder of its own, outside the other. Name another place, or remove one of them first: npx deephash index remove ${JSON.stringify(before[at].path)}`,
        );
}

/**
 * Roots that have moved.
 * @param moves `OLD=NEW`, or `NEW` alone where there is one root; @param resolved makes a path absolute
 * @throws UserError when a root is not there or has two new places, a place is not there, or two would be at one
 */
export function moved(roots: Root[], moves: string[], resolved: (path: string) => string): Root[] {
  const after = [...roots];
  const given = new Map<number, string>();
  for (const move of moves) {
    // Either path may hold "=" itself: the old one is what a root is called.
    const cut = [...move.matchAll(/=/g)]
      .map(({ index }) => index)
      .find((index) => roots.some((root) => root.path === resolved(move.slice(0, index))));
    if (cut === undefined && roots.length > 1)
      throw new UserError(
        `index: --root ${shown(move)}: the index has several folders. Write OLD=NEW, where OLD is one of ${roots.map(({ path }) => shown(path)).join(", ")}.`,
      );
    const at = cut === undefined ? 0 : roots.findIndex((root) => root.path === resolved(move.slice(0, cut)));
    const path = resolved(cut === undefined ? move : move.slice(cut + 1));
    const before = given.get(at);
    if (before !== undefined && after[at].path !== path)
      throw new UserError(
        `index: --root ${shown(move)}: another place for the same folder than --root ${shown(before)}. Give one of them.`,
      );
    given.set(at, move);
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new UserError(`index: --root ${shown(move)}: ${shown(path)} is no folder.`);
    after[at] = { ...after[at], path };
  }
  checkPlaces(roots, after);
  return after;
}
