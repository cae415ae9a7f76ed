/** The stat of each file when it was last hashed: an unchanged file is not read again. */
import { createHash } from "node:crypto";
import { closeSync, readSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { replaceCache } from "./atomic.ts";
import { openRegular, readOwn } from "./regular.ts";

/** Size, modification and change time, inode: any write changes one of them. */
export function stamp(stats: Stats): string {
  return `${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.ino}`;
}

/** The part of a {@link stamp} that a link to the file, or its mode, leaves as it is. */
export const contentStamp = ({ size, mtimeMs, ino }: Stats): string => `${size}:${mtimeMs}:${ino}`;

/** The stamp of a path; undefined when nothing is there. */
export function stampOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && stamp(stats);
}

/** The {@link contentStamp} of a path; undefined when nothing is there. */
export function contentStampOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && contentStamp(stats);
}

export const sha256 = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

/** sha256 of a regular file, read in pieces. @throws UserError for a folder, pipe or device */
export function hashFile(path: string): string {
  const hash = createHash("sha256");
  const file = openRegular(path);
  const buffer = Buffer.allocUnsafe(1 << 20);
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

/** A file that changed this short a time ago may change again within the same tick of the file system's clock. */
const RECENT_MILLISECONDS = 100;

/** Between two writes of the file by {@link StatCache.saveSometimes}. */
const SAVE_MILLISECONDS = 2000;

type Entry = [stamp: string, hash: string];

const isEntry = (value: unknown): value is Entry =>
  Array.isArray(value) && typeof value[0] === "string" && /^[0-9a-f]{64}$/.test(value[1]);

/** The entries of a cache file; none where it is missing, or was truncated by a crash. */
function entriesIn(file: string): Record<string, Entry> {
  try {
    const found: unknown = JSON.parse(readOwn(file));
    return Object.fromEntries(Object.entries(found as object).filter(([, entry]) => isEntry(entry)));
  } catch {
    return {};
  }
}

/** Hashes by path, kept in one JSON file between runs. */
export class StatCache {
  private readonly entries: Record<string, Entry>;
  private readonly file: string;
  private readonly scratch: string;
  private changed = false;
  private savedAt = Number.NEGATIVE_INFINITY;

  /** @param scratch where the file is made before it replaces the old one */
  constructor(file: string, scratch = dirname(file)) {
    this.file = file;
    this.scratch = scratch;
    this.entries = entriesIn(file);
  }

  /**
   * sha256 of a file; read only when its stamp changed.
   * @param stats of the file, where they are known already
   * @throws when it is missing
   */
  hash(path: string, stats = statSync(path)): string {
    const known = this.entries[path];
    if (known && known[0] === stamp(stats)) return known[1];
    const began = Date.now();
    const hash = hashFile(path);
    // The stat from before: a write during this read makes it stale, as it should.
    if (began - Math.max(stats.mtimeMs, stats.ctimeMs) > RECENT_MILLISECONDS) {
      this.entries[path] = [stamp(stats), hash];
      this.changed = true;
    }
    return hash;
  }

  /** Takes note of a file whose content is known already, and that nobody writes to any more. */
  remember(path: string, hash: string, stats = statSync(path)): void {
    this.entries[path] = [stamp(stats), hash];
    this.changed = true;
  }

  /** Forgets every path of which `gone` is true. */
  forget(gone: (path: string) => boolean): void {
    for (const path of Object.keys(this.entries))
      if (gone(path)) {
        delete this.entries[path];
        this.changed = true;
      }
  }

  /** Saves at most every few seconds: each time writes all entries, and a lost one costs one hash. */
  saveSometimes(): void {
    if (performance.now() - this.savedAt > SAVE_MILLISECONDS) this.save();
  }

  /** Writes the cache to its file. */
  save(): void {
    this.savedAt = performance.now();
    if (this.changed) replaceCache(this.file, JSON.stringify(this.entries), this.scratch);
    this.changed = false; // also where it could not be written: that is said once
  }
}
