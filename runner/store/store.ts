/** The store: files by content, and records of which stage made them. Atomic, verified, collectable. */
import {
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CodeFacts } from "../code/index.ts";
import {
  contentStamp,
  hashFile,
  hashFiles,
  isExecutable,
  lock,
  makeFolder,
  type Owner,
  type Release,
  readOwn,
  replaceFile,
  StatCache,
  scratchName,
  self,
  settle,
  sha256,
  sweep,
  sweepLocks,
  sync,
  type TreeFile,
  treeOf,
} from "../files/index.ts";
import { UserError } from "../stage.ts";
import type { StoreEvent } from "./events.ts";
import {
  isFolder,
  isHash,
  type ListedFile,
  listingHash,
  readRecord,
  recordFault,
  type StageRecord,
  type StoredOutput,
  written,
} from "./record.ts";

/** A run that is remembered. */
export interface Ran {
  profile: string;
  /** Whether all stages of the profile were up to date when it ended. */
  whole: boolean;
  keys: string[];
  /** When the last run ended that ended like this, in milliseconds. */
  ended: number;
  path: string;
}

/** All files below a folder, as paths from it, sorted. */
export function filesBelow(folder: string, prefix = ""): string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .flatMap((entry) => {
      const path = prefix ? `${prefix}/${entry.name}` : entry.name;
      return entry.isDirectory() ? filesBelow(folder, path) : [path];
    })
    .sort();
}

/** The names in a folder, sorted; none when it is not there. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

const listedFile = ({ path, stats }: TreeFile, hash: string): ListedFile =>
  isExecutable(stats) ? [path, hash, "x"] : [path, hash];

/** Copies of inputs that are made at a time. */
const COPIES = 16;
/** A hash or a key as part of a path. @throws Error for anything else, which could name a file outside the store */
function named(hash: string): string {
  if (!isHash(hash))
    throw new Error(`${JSON.stringify(hash)?.slice(0, 80)} is no sha256: the store has no place for it.`);
  return hash;
}

/** The JSON of a file of the store; undefined when there is none, or it is no JSON. */
function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readOwn(path));
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The lock that who collects garbage holds. */
const COLLECTING = "gc";

/** A store in a folder; several processes may share it. */
export class Store {
  readonly folder: string;
  /** What is half made lies here: on the store's own disk, swept when its maker is gone. */
  private readonly halves: string;
  private readonly locks: string;
  private readonly stats: StatCache;
  /** What {@link hashOutputs} found. */
  private readonly hashed = new Map<string, { hash: string; stamp: string }>();
  /** Project folders of which what cannot be read is passed over: see `tolerant` in stage.ts. */
  readonly tolerant = new Set<string>();
  private readonly tell: (event: StoreEvent) => void;
  /** The keys of records that were found damaged. */
  readonly damaged = new Set<string>();

  /** @param tell gets every event of the store */
  constructor(folder: string, tell: (event: StoreEvent) => void = () => {}) {
    this.folder = folder;
    this.tell = tell;
    this.halves = join(folder, "scratch");
    this.locks = join(folder, "locks");
    this.stats = new StatCache(join(folder, "stat.json"), this.halves);
  }

  /** Where an object lies. */
  objectPath(hash: string): string {
    return join(this.folder, "objects", named(hash).slice(0, 2), hash);
  }
  /** Where a record lies. */
  recordPath(key: string): string {
    return join(this.folder, "records", `${named(key)}.json`);
  }
  /** Where a record is kept whose objects lie in a shared cache, some or all: so each of `records` is whole. */
  private promisePath(key: string): string {
    return join(this.folder, "promised", `${named(key)}.json`);
  }
  /** The log of the stage that has this key. */
  logPath(key: string): string {
    return join(this.folder, "logs", `${named(key)}.log`);
  }
  /** The folder of downloaded files. */
  get downloads(): string {
    return join(this.folder, "downloads");
  }
  /** The log of the shared cache. */
  get remoteLog(): string {
    return join(this.folder, "logs", "remote.log");
  }

  /** Hash of a project's file, or of all that a folder holds. @throws UserError for what is no file or folder */
  hashInput(path: string): string {
    const { folder, files, empty, again, folders, unread } = treeOf(path, undefined, this.tolerant.has(path));
    if (folder && existsSync(this.folder) && folders.includes(realpathSync(this.folder)))
      throw new UserError(
        `${path} holds the store (${this.folder}), which every run changes. Name a folder without it.`,
      );
    const listed = files.map((file) => listedFile(file, this.stats.hash(file.absolute, file.stats)));
    return folder || listed[0][2] ? listingHash(listed, empty, again, unread) : listed[0][1];
  }

  /**
   * The record of a key, be it a promised one; undefined when the stage never ended well with it. A damaged one is
   * set aside.
   */
  record(key: string): StageRecord | undefined {
    if (!isHash(key)) return undefined;
    const path = this.recordPath(key);
    if (!existsSync(path)) return this.promise(key); // asked first: an error takes many times as long
    let record: StageRecord | undefined;
    try {
      record = readRecord(readOwn(path));
    } catch (error) {
      if (!(error instanceof UserError)) return undefined; // else it is no regular file
    }
    if (record?.key === key) return record;
    this.reject(key, "is damaged (disk fault or edited by hand)");
    return undefined;
  }

  /** Quarantines the record of a key, and says why: its stage runs again. */
  reject(key: string, fault: string): void {
    this.setAside(this.recordPath(key), `${key}.json`);
    rmSync(this.promisePath(key), { force: true });
    this.damaged.add(key);
    this.tell({ kind: "quarantined", key, fault });
  }

  /** The keys of all records. */
  keys(): string[] {
    return filesIn(join(this.folder, "records"))
      .map((name) => name.replace(/\.json$/, ""))
      .filter(isHash);
  }

  /** Every record that is whole, in no order. */
  *records(): Generator<StageRecord> {
    for (const key of this.keys()) {
      const record = this.record(key);
      if (record) yield record;
    }
  }

  /** The hashes of all objects. A file of another name is none of the store's. */
  objects(): string[] {
    const folder = join(this.folder, "objects");
    return filesIn(folder).flatMap((start) =>
      filesIn(join(folder, start)).filter((name) => isHash(name) && name.startsWith(start)),
    );
  }

  /** Removes what dead processes left: scratch folders, half-made files, locks. Files first: a lock needs room. */
  sweep(): void {
    sweep(this.halves);
    sweepLocks(this.locks, this.halves);
  }

  /** An own, empty folder to run a stage in. */
  scratch(key: string): string {
    const folder = join(this.halves, scratchName(key.slice(0, 16)));
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Takes the lock of a key. See {@link lock}. */
  lock(key: string, waiting: (owner: string) => void, signal?: AbortSignal): Promise<Release> {
    return lock(join(this.locks, key), waiting, signal, this.halves);
  }

  /** Says that a run uses the store, until it is released: nothing is collected meanwhile. */
  async enter(waiting: (owner: string) => void): Promise<Release> {
    sweep(this.halves); // what a killed stage left may fill the disk, so that no lock can be written
    const { pid, started, host } = self();
    const leave = await this.lock(`run-${pid}-${started}-${host}`, () => {});
    try {
      // Who collects looks for runs after taking its lock, a run for it after taking its own: one sees the other.
      if (existsSync(join(this.locks, COLLECTING))) (await this.lock(COLLECTING, waiting))();
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  /** Says that garbage is collected. @returns who uses the store; nothing may be removed while somebody does */
  async collect(): Promise<{ release: Release; users: Owner[] }> {
    sweep(this.halves);
    const release = await this.lock(COLLECTING, () => {});
    const held = sweepLocks(this.locks, this.halves);
    held.delete(COLLECTING);
    return { release, users: [...held.values()] };
  }

  /**
   * Hashes what a stage made, on all cores, so that {@link keepOutput} need not. Nobody may write to it meanwhile
   * or later.
   * @throws UserError for what is no file or folder
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
      this.setAside(object, hash);
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

  /**
   * Writes a record, last of all: from now on the key is a hit.
   * @throws UserError for one that could not be read again, as with a path that is too long for other file systems
   */
  keepRecord(record: StageRecord): void {
    const text = written(record);
    if (!readRecord(text))
      throw new UserError(`its result cannot be kept: ${recordFault(record) || "its record is no JSON"}.`);
    replaceFile(this.recordPath(record.key), text, this.halves);
    rmSync(this.promisePath(record.key), { force: true });
    this.stats.save();
  }

  /** Keeps a record whose objects are to be had from a shared cache when one is needed. */
  keepPromise(record: StageRecord): void {
    replaceFile(this.promisePath(record.key), written(record), this.halves);
  }

  private promise(key: string): StageRecord | undefined {
    const path = this.promisePath(key);
    if (!existsSync(path)) return undefined;
    try {
      const record = readRecord(readOwn(path));
      return record?.key === key ? record : undefined;
    } catch {
      return undefined; // another run has just redeemed it
    }
  }

  /** Whether a key's objects were never all here. */
  isPromise(key: string): boolean {
    return existsSync(this.promisePath(key)) && !existsSync(this.recordPath(key));
  }

  /** Makes a promised record a full one as soon as all its objects are here. */
  redeem(record: StageRecord): void {
    if (!this.isPromise(record.key)) return;
    const objects = Object.values(record.outputs).flatMap((output) => this.filesOf(output));
    if (objects.every(([, object]) => existsSync(object))) this.keepRecord(record);
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

  /** Where an object lies; undefined when it is gone or damaged. */
  pathOf(hash: string): string | undefined {
    return this.whole(hash) ? this.objectPath(hash) : undefined;
  }

  private codePath(hash: string): string {
    return join(this.folder, "code", `${named(hash)}.json`);
  }
  /** Keeps what a code was made of, so that a later run can say what changed in it. */
  keepCode(hash: string, facts: CodeFacts): void {
    if (!existsSync(this.codePath(hash)))
      replaceFile(this.codePath(hash), JSON.stringify(facts), this.halves);
  }
  /** What a code was made of; undefined where no run of this store had it. */
  codeFacts(hash: string): CodeFacts | undefined {
    const facts = isHash(hash) ? jsonIn(this.codePath(hash)) : undefined;
    return isObject(facts) && Array.isArray(facts.packages) && isObject(facts.outline)
      ? (facts as unknown as CodeFacts)
      : undefined;
  }

  /** Moves something bad to where it can be looked at, and out of the way. */
  setAside(path: string, name: string): void {
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

  /** Whether an object is there and has the content its name says. A bad one is set aside. */
  private whole(hash: string): boolean {
    const object = this.objectPath(hash);
    const stats = lstatSync(object, { throwIfNoEntry: false });
    if (!stats) return false;
    try {
      if (stats.isFile() && this.stats.hash(object) === hash) return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EIO") throw error; // what cannot be read is as bad
    }
    this.setAside(object, hash);
    return false;
  }

  /** What keeps an output from being used: "" when all its files are there and whole. */
  faultOf(output: StoredOutput): string {
    for (const hash of output.files ? output.files.map(([, hash]) => hash) : [output.hash]) {
      const there = existsSync(this.objectPath(hash));
      if (there && this.whole(hash)) continue;
      return there
        ? `object ${hash.slice(0, 8)}… does not match its hash (disk fault or edited by hand). Set aside`
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

  /** The files of an output: path below the output ("" for a single file) → where the object lies. */
  filesOf(output: StoredOutput): [path: string, object: string, hash: string][] {
    const files: ListedFile[] = output.files ?? [["", output.hash]];
    return files.map(([path, hash]) => [path, this.objectPath(hash), hash]);
  }

  private latestPath(profile: string): string {
    return join(this.folder, "latest", `${profile}.json`);
  }
  /** The key each instance of a profile last had. */
  latest(profile: string): Record<string, string> {
    const found = jsonIn(this.latestPath(profile));
    if (!isObject(found)) return {};
    return Object.fromEntries(
      Object.entries(found).filter((entry): entry is [string, string] => isHash(entry[1])),
    );
  }
  keepLatest(profile: string, keys: Record<string, string>): void {
    const before = this.latest(profile);
    const after = { ...before, ...keys };
    if (JSON.stringify(before) !== JSON.stringify(after))
      replaceFile(this.latestPath(profile), JSON.stringify(after), this.halves);
  }

  /**
   * Remembers the keys that a run ended with, for `gc`: one file for all runs that ended alike, with the time
   * of the last one.
   */
  keepRun(profile: string, keys: Record<string, string>, whole: boolean): void {
    const content = JSON.stringify({ profile, whole, keys: [...new Set(Object.values(keys))].sort() });
    const path = join(this.folder, "runs", `${sha256(content)}.json`);
    if (!existsSync(path)) replaceFile(path, content, this.halves);
    else {
      const now = new Date();
      utimesSync(path, now, now);
    }
  }

  /** The runs that are remembered, the latest first. A damaged one is left out. */
  runs(): Ran[] {
    const folder = join(this.folder, "runs");
    return filesIn(folder)
      .flatMap((name): Ran[] => {
        const path = join(folder, name);
        try {
          const text = readOwn(path);
          if (name !== `${sha256(text)}.json`) return [];
          const { profile, whole, keys } = JSON.parse(text);
          if (typeof profile !== "string" || !Array.isArray(keys) || !keys.every(isHash)) return [];
          return [{ profile, whole: whole === true, keys, ended: lstatSync(path).mtimeMs, path }];
        } catch {
          return []; // no file, or none that this tool wrote
        }
      })
      .sort((a, b) => b.ended - a.ended);
  }

  /** Forgets the stats of the objects that were removed. */
  forgetRemoved(): void {
    this.stats.forget((path) => path.startsWith(this.folder) && !existsSync(path));
  }

  /** Keeps what was learnt of the files' stats. */
  save(): void {
    this.stats.save();
  }
}
