/** The objects of a store: files by the hash of their content. Moved in whole, verified, quarantined when corrupt. */
import {
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  contentStamp,
  hashFile,
  hashFiles,
  isExecutable,
  makeFolder,
  StatCache,
  settle,
  sync,
  type TreeFile,
  treeOf,
} from "../files/index.ts";
import { UserError } from "../stage.ts";
import { filesIn, named } from "./folder.ts";
import { isFolder, isHash, type ListedFile, listingHash, type StoredOutput } from "./record.ts";

/** A file as a listing holds it. */
export const listedFile = ({ path, stats }: TreeFile, hash: string): ListedFile =>
  isExecutable(stats) ? [path, hash, "x"] : [path, hash];

/** Copies of inputs that are made at a time. */
const COPIES = 16;

export class Objects {
  readonly folder: string;
  /** Temporary files and folders: on the store's own disk, removed when their process is gone. */
  protected readonly halves: string;
  protected readonly stats: StatCache;
  /** The result of {@link hashOutputs}. */
  private readonly hashed = new Map<string, { hash: string; stamp: string }>();

  constructor(folder: string) {
    this.folder = folder;
    this.halves = join(folder, "scratch");
    this.stats = new StatCache(join(folder, "stat.json"), this.halves);
  }

  /** The path of an object. */
  objectPath(hash: string): string {
    return join(this.folder, "objects", named(hash).slice(0, 2), hash);
  }
  /** The hashes of all objects. A file of another name is none of the store's. */
  objects(): string[] {
    const folder = join(this.folder, "objects");
    return filesIn(folder).flatMap((start) =>
      filesIn(join(folder, start)).filter((name) => isHash(name) && name.startsWith(start)),
    );
  }

  /**
   * Hashes what a stage made, on all cores, so that {@link keepOutput} need not. Nobody may write to it meanwhile
   * or later.
   * @throws UserError for anything but a file or folder
   */
  async hashOutputs(paths: string[]): Promise<void> {
    for (const path of paths) settle(path);
    const files = paths.flatMap((path) => treeOf(path).files);
    const stamps = new Map(files.map(({ absolute, stats }) => [absolute, contentStamp(stats)]));
    await hashFiles([...stamps.keys()], (path, hashed) => {
      if ("hash" in hashed) this.hashed.set(path, { hash: hashed.hash, stamp: stamps.get(path)! });
    });
  }

  /** Moves a file into the store. @throws UserError when it was written to since it was hashed */
  private keep(path: string): { hash: string; bytes: number } {
    const stamp = contentStamp(lstatSync(path));
    const known = this.hashed.get(path) ?? { hash: hashFile(path), stamp };
    this.hashed.delete(path);
    const { hash } = known;
    const object = this.objectPath(hash);
    if (existsSync(object) && this.whole(hash)) {
      const { size } = lstatSync(path);
      rmSync(path);
      return { hash, bytes: size };
    }
    makeFolder(dirname(object));
    sync(path);
    chmodSync(path, 0o444);
    renameSync(path, object);
    sync(dirname(object));
    const stats = lstatSync(object);
    if (contentStamp(stats) !== known.stamp) {
      this.quarantine(object, hash);
      throw new UserError(
        `its output ${basename(path)} was written to after it had ended. Let it wait for the processes that it starts.`,
      );
    }
    this.stats.remember(object, hash, stats);
    return { hash, bytes: stats.size };
  }

  /** Moves one output of a stage into the store. `path` must be on the store's own disk. */
  keepOutput(path: string, measured: boolean): StoredOutput {
    settle(path);
    const { folder, files, empty } = treeOf(path, `its output ${basename(path)}`);
    const kept = files.map((file) => ({ file, ...this.keep(file.absolute) }));
    const bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
    const listed = kept.map(({ file, hash }) => listedFile(file, hash));
    if (!folder && !listed[0][2]) return { hash: listed[0][1], bytes, measured };
    const folders = empty.length ? { folders: empty } : {};
    return { hash: listingHash(listed, empty), bytes, measured, files: listed, ...folders };
  }

  /** Moves a file that came from elsewhere into the store. @returns false when its content is not what `hash` says */
  keepObject(path: string, hash: string): boolean {
    settle(path);
    const stamp = contentStamp(lstatSync(path));
    if (hashFile(path) !== hash) return false;
    this.hashed.set(path, { hash, stamp });
    this.keep(path);
    return true;
  }

  /** The path of an object; undefined when it is missing or corrupt. */
  pathOf(hash: string): string | undefined {
    return this.whole(hash) ? this.objectPath(hash) : undefined;
  }

  /** Moves a corrupt file into the quarantine folder, where a person can examine it. */
  quarantine(path: string, name: string): void {
    const folder = join(this.folder, "bad");
    mkdirSync(folder, { recursive: true });
    let time = Date.now();
    while (lstatSync(join(folder, `${name}-${time}`), { throwIfNoEntry: false })) time++; // two within a millisecond
    const aside = join(folder, `${name}-${time}`);
    try {
      renameSync(path, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // another run was faster
    }
  }

  /** Whether an object is there and has the content of its name. A corrupt one is quarantined. */
  private whole(hash: string): boolean {
    const object = this.objectPath(hash);
    const stats = lstatSync(object, { throwIfNoEntry: false });
    if (!stats) return false;
    try {
      if (stats.isFile() && this.stats.hash(object) === hash) return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EIO") throw error; // an unreadable object counts as corrupt
    }
    this.quarantine(object, hash);
    return false;
  }

  /** The reason why an output cannot be used: "" when all its files exist and are intact. */
  faultOf(output: StoredOutput): string {
    for (const hash of output.files ? output.files.map(([, hash]) => hash) : [output.hash]) {
      const there = existsSync(this.objectPath(hash));
      if (there && this.whole(hash)) continue;
      return there
        ? `object ${hash.slice(0, 8)}… does not match its hash (disk fault or edited by hand). Quarantined`
        : `object ${hash.slice(0, 8)}… is gone`;
    }
    return "";
  }

  /**
   * Notes how the files of outputs are before a stage reads them.
   * @returns tells which of them was written to since, "" for none
   */
  watch(outputs: StoredOutput[]): () => string {
    const stampOf = (path: string) => {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats && contentStamp(stats);
    };
    const before = new Map(
      outputs.flatMap((output) => this.filesOf(output)).map(([, path]) => [path, stampOf(path)]),
    );
    return () => {
      for (const output of outputs) {
        const written = this.filesOf(output).some(([, path]) => stampOf(path) !== before.get(path));
        const fault = this.faultOf(output);
        if (written || fault) return fault || "an object of it was written to";
      }
      return "";
    };
  }

  /**
   * Shows an output at `path`. A single file is a link to its object, unless copies are wanted or it is executable
   * (no object is); a folder holds copies in any case: a tree of links is none of files to `find` and `tar`.
   *
   * Copies, for a stage may write to what it is shown: a hard link would let it change the object itself, which no
   * later check could undo, and has its object's times and mode. Where the file system shares blocks (btrfs, xfs, zfs,
   * apfs) a copy takes neither space nor time; elsewhere it takes less than hashing the file did.
   */
  async show(output: StoredOutput, path: string, copies: boolean): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    if (!output.files && !copies) {
      symlinkSync(this.objectPath(output.hash), path);
      return;
    }
    if (isFolder(output)) mkdirSync(path);
    for (const folder of output.folders ?? []) mkdirSync(join(path, folder), { recursive: true });
    const files = this.filesOf(output).map(([file, object], index) => ({
      object,
      to: join(path, file),
      mode: output.files?.[index][2] ? 0o555 : 0o444,
    }));
    for (const folder of new Set(files.map(({ to }) => dirname(to)))) mkdirSync(folder, { recursive: true });
    for (let first = 0; first < files.length; first += COPIES)
      await Promise.all(
        files.slice(first, first + COPIES).map(async ({ object, to, mode }) => {
          await copyFile(object, to, constants.COPYFILE_FICLONE);
          await chmod(to, mode);
        }),
      );
  }

  /** The files of an output: path below the output ("" for a single file) → where the object is. */
  filesOf(output: StoredOutput): [path: string, object: string, hash: string][] {
    const files: ListedFile[] = output.files ?? [["", output.hash]];
    return files.map(([path, hash]) => [path, this.objectPath(hash), hash]);
  }
}
