/** The store: files by content, and records of which stage made them. Atomic, verified, collectable. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { lock, type Release } from "./lock.ts";
import type { CodeFacts } from "./outline.ts";
import type { Scalar } from "./stage.ts";
import { hashFile, replaceFile, StatCache, sha256 } from "./statcache.ts";

/** One output in the store. A folder's hash is that of its listing. */
export interface StoredOutput {
  hash: string;
  bytes: number;
  measured: boolean;
  /** Only of a folder: `[path, hash]` of each file, in order of path. */
  files?: [path: string, hash: string][];
}

/** Who made one file of an input: an output of the run with that key, or the project. */
export type Origin = { id: string; output: string; key: string } | { file: string };

/** What is known of one run of a stage instance. The key's own ingredients stand in `key`'s neighbours. */
export interface StageRecord {
  key: string;
  id: string;
  stage: string;
  code: string;
  packages: string[];
  parts: Record<string, { name: string; code: string; params: Record<string, unknown> }>;
  params: Record<string, unknown>;
  inputs: Record<string, { hash: string; id?: string }[]>;
  /** Who made each file of each input: outside the key, and unknown to older records. */
  from?: Record<string, Origin[]>;
  outputs: Record<string, StoredOutput>;
  /** Facts outside the key: backend, device, rates. */
  notes: Record<string, Scalar>;
  machine: { host: string; node: string; cpu: string; cores: number };
  ended: string;
  seconds: number;
  peakMegabytes: number;
}

/** Writes through to the disk: after this a power cut loses nothing of the file. */
function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
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

/** A store in a folder; several processes may share it. */
export class Store {
  readonly folder: string;
  private readonly stats: StatCache;

  constructor(folder: string) {
    this.folder = folder;
    this.stats = new StatCache(join(folder, "stat.json"));
  }

  private objectPath(hash: string): string {
    return join(this.folder, "objects", hash.slice(0, 2), hash);
  }
  private recordPath(key: string): string {
    return join(this.folder, "records", `${key}.json`);
  }
  /** The log of the stage that has this key. */
  logPath(key: string): string {
    return join(this.folder, "logs", `${key}.log`);
  }

  /** Hash of a project's file, or of all files below a folder. */
  hashInput(path: string): string {
    if (!statSync(path).isDirectory()) return this.stats.hash(path);
    return sha256(JSON.stringify(filesBelow(path).map((file) => [file, this.stats.hash(join(path, file))])));
  }

  /** The record of a key; undefined when the stage never ended well with it. */
  record(key: string): StageRecord | undefined {
    try {
      const record = JSON.parse(readFileSync(this.recordPath(key), "utf8")) as StageRecord;
      return record.key === key ? record : undefined;
    } catch {
      return undefined;
    }
  }

  /** Removes the scratch folders of this machine's processes that are gone. */
  sweep(): void {
    const folder = join(this.folder, "scratch");
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder)) {
      const [, host, pid] = /^[^-]+-(.*)-(\d+)$/.exec(name) ?? [];
      if (host !== hostname()) continue; // several machines may share a store
      try {
        process.kill(Number(pid), 0);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ESRCH")
          rmSync(join(folder, name), { recursive: true, force: true });
      }
    }
  }

  /** An own, empty folder to run a stage in. */
  scratch(key: string): string {
    const folder = join(this.folder, "scratch", `${key.slice(0, 16)}-${hostname()}-${process.pid}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Takes the lock of a key. See {@link lock}. */
  lock(key: string, waiting: (owner: string) => void, signal?: AbortSignal): Promise<Release> {
    return lock(join(this.folder, "locks", key), waiting, signal);
  }

  private keep(path: string): { hash: string; bytes: number } {
    const hash = hashFile(path);
    const bytes = statSync(path).size;
    const object = this.objectPath(hash);
    if (existsSync(object) && this.whole(hash)) rmSync(path);
    else {
      mkdirSync(dirname(object), { recursive: true });
      sync(path);
      chmodSync(path, 0o444);
      renameSync(path, object);
      sync(dirname(object));
      this.stats.remember(object, hash);
    }
    return { hash, bytes };
  }

  /** Moves one output of a stage into the store. `path` must be on the store's own disk. */
  keepOutput(path: string, measured: boolean): StoredOutput {
    if (!statSync(path).isDirectory()) return { ...this.keep(path), measured };
    const kept = filesBelow(path).map((file) => ({ file, ...this.keep(join(path, file)) }));
    const files = kept.map(({ file, hash }): [string, string] => [file, hash]);
    const bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
    return { hash: sha256(JSON.stringify(files)), bytes, measured, files };
  }

  /** Writes a record, last of all: from now on the key is a hit. */
  keepRecord(record: StageRecord): void {
    const path = this.recordPath(record.key);
    mkdirSync(dirname(path), { recursive: true });
    const scratch = `${path}.${process.pid}`;
    try {
      writeFileSync(scratch, `${JSON.stringify(record, null, 1)}\n`);
      sync(scratch);
      renameSync(scratch, path);
    } catch (error) {
      rmSync(scratch, { force: true });
      throw error;
    }
    sync(dirname(path));
    this.stats.save();
  }

  private codePath(hash: string): string {
    return join(this.folder, "code", `${hash}.json`);
  }
  /** Keeps what a code was made of, so that a later run can say what changed in it. */
  keepCode(hash: string, facts: CodeFacts): void {
    if (!existsSync(this.codePath(hash))) replaceFile(this.codePath(hash), JSON.stringify(facts));
  }
  /** What a code was made of; undefined where no run of this store had it. */
  codeFacts(hash: string): CodeFacts | undefined {
    try {
      return JSON.parse(readFileSync(this.codePath(hash), "utf8"));
    } catch {
      return undefined;
    }
  }

  /** Whether an object is there and has the content its name says. A bad one is set aside. */
  private whole(hash: string): boolean {
    const object = this.objectPath(hash);
    if (!existsSync(object)) return false;
    if (this.stats.hash(object) === hash) return true;
    const aside = join(this.folder, "bad", `${hash}-${Date.now()}`);
    mkdirSync(dirname(aside), { recursive: true });
    renameSync(object, aside);
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

  /** Shows an output at `path`: a link to the object, or a folder of links. */
  show(output: StoredOutput, path: string): void {
    mkdirSync(dirname(path), { recursive: true });
    if (!output.files) {
      symlinkSync(this.objectPath(output.hash), path);
      return;
    }
    mkdirSync(path, { recursive: true });
    for (const [file, hash] of output.files) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      symlinkSync(this.objectPath(hash), join(path, file));
    }
  }

  /** The files of an output: path below the output ("" for a single file) → where the object lies. */
  filesOf(output: StoredOutput): [path: string, object: string, hash: string][] {
    return (output.files ?? [["", output.hash]]).map(([path, hash]) => [path, this.objectPath(hash), hash]);
  }

  private latestPath(profile: string): string {
    return join(this.folder, "latest", `${profile}.json`);
  }
  /** The key each instance of a profile last had. */
  latest(profile: string): Record<string, string> {
    try {
      return JSON.parse(readFileSync(this.latestPath(profile), "utf8"));
    } catch {
      return {};
    }
  }
  keepLatest(profile: string, keys: Record<string, string>): void {
    const before = this.latest(profile);
    const after = { ...before, ...keys };
    if (JSON.stringify(before) !== JSON.stringify(after))
      replaceFile(this.latestPath(profile), JSON.stringify(after));
  }

  /** Keeps what was learnt of the files' stats. */
  save(): void {
    this.stats.save();
  }
}
