/** The files of a published folder: the runner's, if its list there names them, else a person's. */
import { readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { hashFile } from "../files/index.ts";
import { isCommitted } from "../git/index.ts";
import { LIST, MEASURED_LIST, placeOf, realPath } from "../plan/index.ts";
import { UserError } from "../stage.ts";
import type { Store } from "../store/index.ts";
import { oneLine } from "../text/index.ts";
import { type Entry, readList, typeAt, writeList } from "./lists.ts";

type Goes = (path: string) => boolean;

/** All that is below a folder and is no folder; links are not followed. */
function* below(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* below(path);
    else yield path;
  }
}

export const isFile = (path: string): boolean => typeAt(path) === "file";
/** Whether a file is there, and has this hash. */
export const hasContent = (path: string, hash: string): boolean => isFile(path) && hashFile(path) === hash;

/** A folder that outputs are published to. Paths are from this folder. */
export class PublishedFolder {
  private readonly root: string;
  private readonly store: Store;
  /** The folder itself, links followed. */
  readonly path: string;
  /** The files of the two lists. */
  private readonly listed = new Map<string, Entry>();
  /** The listed files that a clock wrote. */
  private readonly measured = new Set<string>();
  /** The lists that are to be written again. */
  private readonly changed = new Set<string>();
  private folders?: Set<string>;

  /** @throws UserError when its list cannot be read */
  constructor(root: string, publish: string, store: Store) {
    this.root = realPath(root);
    this.store = store;
    this.path = realPath(join(root, publish));
    // So it was when the run began: see refusePlaces.
    if (relative(this.root, this.path).split(sep)[0] === "..")
      throw new UserError(
        `${oneLine(publish)}: is a link out of the project by now. Remove it and run again.`,
      );
    for (const list of [MEASURED_LIST, LIST]) {
      const listed = readList(join(this.path, list));
      if (!listed)
        throw new UserError(
          `${this.shown(list)}: is no list of published files. Restore it, as with git checkout, or remove it.`,
        );
      for (const [path, entry] of listed) {
        this.listed.set(path, entry);
        if (list === MEASURED_LIST) this.measured.add(path);
      }
    }
  }

  /** The list that names a file. */
  private listOf(path: string): string {
    return this.measured.has(path) ? MEASURED_LIST : LIST;
  }

  private from(file: string): string {
    return relative(this.path, file).split(sep).join("/");
  }
  /** A path as messages name it: from the project's folder. */
  shown(path: string): string {
    return oneLine(relative(this.root, join(this.path, path)));
  }

  /** The paths that are listed, and who published each. */
  entries(): [path: string, by: string][] {
    return [...this.listed].map(([path, [by]]) => [path, by]);
  }
  /** @param measured whether a clock wrote the file */
  list(path: string, by: string, hash: string, measured: boolean): void {
    const [lastBy, lastHash] = this.listed.get(path) ?? [];
    const last = this.listOf(path);
    if (measured) this.measured.add(path);
    else this.measured.delete(path);
    const list = this.listOf(path);
    if (lastBy === by && lastHash === hash && last === list) return;
    if (lastBy !== undefined) this.changed.add(last);
    this.changed.add(list);
    this.listed.set(path, [by, hash]);
  }
  /** The sha256 that a file had when it was published; undefined when it is not listed. */
  hashOf(path: string): string | undefined {
    return this.listed.get(path)?.[1];
  }
  forget(path: string): void {
    if (this.listed.delete(path)) this.changed.add(this.listOf(path));
    this.measured.delete(path);
  }

  /** Writes the lists that changed. A file that goes from one to the other is in both meanwhile. */
  save(): void {
    for (const list of [MEASURED_LIST, LIST].filter((one) => this.changed.has(one))) {
      const entries = [...this.listed].filter(([path]) => this.listOf(path) === list);
      writeList(join(this.path, list), entries);
    }
    this.changed.clear();
  }

  /** The folders of the listed files. */
  private listedFolders(): Set<string> {
    if (!this.folders) {
      this.folders = new Set();
      for (const path of this.listed.keys())
        for (let at = dirname(path); at !== "." && !this.folders.has(at); at = dirname(at))
          this.folders.add(at);
    }
    return this.folders;
  }

  /** Whether nothing of a person's is lost when `by` replaces a file: it is listed, or the store or git holds it. */
  private mayReplace(path: string, by: string): boolean {
    const entry = this.listed.get(path);
    if (entry?.[0] === by) return true;
    const file = join(this.path, path);
    const hash = hashFile(file);
    return (
      entry?.[1] === hash ||
      this.store.pathOf(hash) !== undefined ||
      isCommitted(this.root, relative(this.root, file))
    );
  }

  /** Whether a listed file is as it was published: no folder on the way is a link, and the content is the same. */
  isUnchanged(path: string): boolean {
    const names = path.split("/");
    const folders = names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
    if (folders.some((folder) => typeAt(join(this.path, folder)) !== "folder")) return false;
    return hasContent(join(this.path, path), this.listed.get(path)![1]);
  }

  /** Removes folders that hold no file from the place of a file. */
  clear(path: string): void {
    const at = join(this.path, path);
    if (typeAt(at) !== "folder") return;
    for (const name of readdirSync(at)) this.clear(`${path}/${name}`);
    rmdirSync(at);
  }

  private isInTheWay(file: string): string {
    return `${this.shown(file)} is a file, and a folder is to be published there`;
  }

  /** Removes a listed file that is as it was published, and the folders that are empty then. */
  remove(path: string): void {
    unlinkSync(join(this.path, path));
    this.forget(path);
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
      if (readdirSync(join(this.path, folder)).length) return;
      rmdirSync(join(this.path, folder));
    }
  }

  /**
   * The file on the way to a path that is no folder, in words; "" for none.
   * @param goes whether a file is removed before
   */
  private obstacleAbove(path: string, goes: Goes): string {
    for (let at = this.path; typeAt(at) !== "folder"; at = dirname(at))
      if (typeAt(at) === "file") return this.isInTheWay(relative(this.path, at));
    const names = path.split("/");
    for (const index of names.slice(1).keys()) {
      const at = names.slice(0, index + 1).join("/");
      const type = typeAt(join(this.path, at));
      if (type === "none" || goes(at)) return "";
      if (type === "other") return `${this.shown(at)} is a link or no file`;
      if (type === "file") return this.isInTheWay(at);
    }
    return "";
  }

  /** The entry in the way of a file at a path, in words; "" for none. @param goes whether a file is removed before */
  obstacle(path: string, by: string, goes: Goes = () => false): string {
    const above = this.obstacleAbove(path, goes);
    if (above || goes(path)) return above;
    const type = typeAt(join(this.path, path));
    if (type === "none") return "";
    if (type === "other") return `${this.shown(path)} is a link or no file`;
    if (type === "file")
      return this.mayReplace(path, by) ? "" : `${this.shown(path)} was not published by ${by}`;
    for (const file of below(join(this.path, path)))
      if (!goes(this.from(file)))
        return `${this.shown(path)} is a folder, and a file is to be published there`;
    return "";
  }

  /**
   * The entry in the way of an output whose content is not known yet; "" for none. Where
   * nothing is listed below it, a folder must hold nothing of a person's.
   */
  obstacleAt(path: string, by: string): string {
    const place = placeOf(path);
    const goes = (file: string) => this.listed.has(file) && this.isUnchanged(file);
    const above = this.obstacleAbove(place, goes);
    const type = typeAt(join(this.path, place));
    if (!above && type === "file" && path.endsWith("/") && !goes(place)) return this.isInTheWay(place);
    if (above || type !== "folder") return this.obstacle(place, by, goes);
    if (this.listedFolders().has(place)) return "";
    for (const file of below(join(this.path, place))) {
      const found = this.obstacle(this.from(file), by);
      if (found) return found;
    }
    return "";
  }
}
