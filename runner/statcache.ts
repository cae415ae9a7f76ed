/** What a file's stat was when its content was last known: an unchanged file is not read again. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "./scratch.ts";

/** Size, modification and change time, inode: any write changes one of them. */
export function stamp(stats: Stats): string {
  return `${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.ino}`;
}

/** The stamp of a path; undefined when nothing is there. */
export function stampOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && stamp(stats);
}

export const sha256 = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

/** sha256 of a file, read in pieces. */
export function hashFile(path: string): string {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
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

/** Hashes by path, kept in one JSON file between runs. */
export class StatCache {
  private readonly entries: Record<string, [stamp: string, hash: string]>;
  private readonly file: string;
  private readonly scratch: string;
  private changed = false;

  /** @param scratch where the file is made before it replaces the old one */
  constructor(file: string, scratch = dirname(file)) {
    this.file = file;
    this.scratch = scratch;
    try {
      this.entries = JSON.parse(readFileSync(file, "utf8"));
    } catch {
      this.entries = {}; // none yet, or cut off by a crash: it is only a cache
    }
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
    // The stat from before: what is written while this reads makes it stale, as it should.
    if (began - Math.max(stats.mtimeMs, stats.ctimeMs) > RECENT_MILLISECONDS) {
      this.entries[path] = [stamp(stats), hash];
      this.changed = true;
    }
    return hash;
  }

  /** Takes note of a file whose content is known already, and that nobody writes to any more. */
  remember(path: string, hash: string): void {
    this.entries[path] = [stamp(statSync(path)), hash];
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

  /** Keeps what was learnt. */
  save(): void {
    if (this.changed) replaceFile(this.file, JSON.stringify(this.entries), this.scratch, false);
    this.changed = false;
  }
}
