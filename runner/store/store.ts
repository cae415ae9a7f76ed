/** The store: files by content, and records of which stage made them. Atomic, verified, collectable. */
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import {
  lock,
  type Owner,
  type Release,
  scratchName,
  self,
  sweep,
  sweepLocks,
  treeOf,
} from "../files/index.ts";
import { UserError } from "../stage.ts";
import type { StoreEvent } from "./events.ts";
import { named } from "./folder.ts";
import { listedFile } from "./objects.ts";
import { listingHash } from "./record.ts";
import { Runs } from "./runs.ts";

/** The lock that who collects garbage holds. */
const COLLECTING = "gc";

/** A store in a folder; several processes may share it. */
export class Store extends Runs {
  private readonly locks: string;
  /** Project folders of which what cannot be read is passed over: see `tolerant` in stage.ts. */
  readonly tolerant = new Set<string>();

  /** @param tell gets every event of the store */
  constructor(folder: string, tell: (event: StoreEvent) => void = () => {}) {
    super(folder, tell);
    this.locks = join(folder, "locks");
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

  /** Hash of a project's file, or of all that a folder holds. @throws UserError for anything but a file or folder */
  hashInput(path: string): string {
    const { folder, files, empty, again, folders, unread } = treeOf(path, undefined, this.tolerant.has(path));
    if (folder && existsSync(this.folder) && folders.includes(realpathSync(this.folder)))
      throw new UserError(
        `${path} holds the store (${this.folder}), which every run changes. Name a folder without it.`,
      );
    const listed = files.map((file) => listedFile(file, this.stats.hash(file.absolute, file.stats)));
    return folder || listed[0][2] ? listingHash(listed, empty, again, unread) : listed[0][1];
  }

  /** Removes what dead processes left: scratch folders, temporary files, locks. Files first: a lock needs room. */
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

  /** The folder of what a stage keeps between its tries. */
  checkpoint(key: string): string {
    return join(this.folder, "checkpoints", named(key));
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
      // gc looks for runs after it takes its lock, a run looks for gc after it takes its own: one sees the other.
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

  /** Forgets the stats of the objects that were removed. */
  forgetRemoved(): void {
    this.stats.forget((path) => path.startsWith(this.folder) && !existsSync(path));
  }

  /** Writes the cache of the files' stats. */
  save(): void {
    this.stats.save();
  }
}
