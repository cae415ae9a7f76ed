/** The records of a store: one for each key, of its own stages and of a shared cache; and what each code was made of. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CodeFacts } from "../code/index.ts";
import { readOwn, replaceFile } from "../files/index.ts";
import { UserError } from "../stage.ts";
import type { StoreEvent } from "./events.ts";
import { filesIn, isObject, jsonIn, named } from "./folder.ts";
import { Objects } from "./objects.ts";
import { isHash, readRecord, recordFault, type StageRecord, written } from "./record.ts";

export class Records extends Objects {
  private readonly tell: (event: StoreEvent) => void;
  /** The keys of records that were found damaged. */
  readonly damaged = new Set<string>();

  constructor(folder: string, tell: (event: StoreEvent) => void) {
    super(folder);
    this.tell = tell;
  }

  /** The path of a record. */
  recordPath(key: string): string {
    return join(this.folder, "records", `${named(key)}.json`);
  }
  /** The path of a record whose objects are in a shared cache, some or all: so each of `records` is whole. */
  private promisePath(key: string): string {
    return join(this.folder, "promised", `${named(key)}.json`);
  }
  /**
   * The record of a key, be it a promised one; undefined when the stage never ended well with it. A damaged one is
   * quarantined.
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
    this.quarantine(this.recordPath(key), `${key}.json`);
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
    this.stats.saveSometimes();
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

  private codePath(hash: string): string {
    return join(this.folder, "code", `${named(hash)}.json`);
  }
  /** Keeps the outline of a code, so that a later run can report its changes. */
  keepCode(hash: string, facts: CodeFacts): void {
    if (!existsSync(this.codePath(hash)))
      replaceFile(this.codePath(hash), JSON.stringify(facts), this.halves);
  }
  /** The outline of a code; undefined where no run of this store had it. */
  codeFacts(hash: string): CodeFacts | undefined {
    const facts = isHash(hash) ? jsonIn(this.codePath(hash)) : undefined;
    return isObject(facts) && Array.isArray(facts.packages) && isObject(facts.outline)
      ? (facts as unknown as CodeFacts)
      : undefined;
  }
}
