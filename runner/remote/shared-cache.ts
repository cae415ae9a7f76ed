/**
 * A shared cache: records and objects of other machines. An entry is trusted only when a trusted key
 * signed the record and every object has its hash of the record; every failure is a miss, reported once.
 */
import {
  appendFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  type WriteStream,
} from "node:fs";
import { dirname, join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pLimit from "p-limit";
import { removeTree, sha256 } from "../files/index.ts";
import type { Task } from "../plan/index.ts";
import type { Signer, StageRecord, Store, StoredOutput } from "../store/index.ts";
import { diskFault, oneLine } from "../text/index.ts";
import { closed, hashed, metered, objectName, RECORD_BYTES, recordName, sizesOf } from "./entry.ts";
import { patience } from "./patience.ts";
import { type Remote, Unusable } from "./place.ts";
import { opened, sealed, shareable } from "./shared-record.ts";

/** Transfers at a time. */
const LANES = 8;
/** An entry has as many times the patience in all, and this much more for each byte: a line that drips has an end. */
const PATIENCES = 6;
const SLOWEST_BYTES_PER_SECOND = 50_000;
/** How long a remote that was away is left alone. */
const AWAY_MILLISECONDS = 60_000;
/** Beyond this a timer of Node ends at once. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** Handles an entry that cannot be sent. */
const NOT_PUSHED = "It was not pushed.";

export class SharedCache {
  private readonly remote: Remote;
  private readonly store: Store;
  private readonly trusted: Set<string>;
  private readonly signer?: Signer;
  private readonly say: (line: string) => void;
  private readonly signal: AbortSignal;
  /** How long the remote may say nothing before it counts as away, in milliseconds. */
  private readonly patience: number;
  private said = false;
  private awayUntil = 0;
  private readonly lane = pLimit(LANES);
  private readonly bringing = new Map<string, Promise<boolean>>();
  private readonly corrupt = new Set<string>();
  private readonly pushes: Promise<void>[] = [];
  private readonly unpushed: StageRecord[] = [];
  private scratch?: string;
  /** Records that came from there, and that went there. */
  readonly count = { fetched: 0, pushed: 0, notPushed: 0 };

  /**
   * @param signer signs pushed records; without one nothing is pushed
   * @param say shows one warning
   * @param signal ends the running transfers
   */
  constructor(
    remote: Remote,
    store: Store,
    trusted: Set<string>,
    signer: Signer | undefined,
    say: (line: string) => void,
    signal: AbortSignal,
  ) {
    this.remote = remote;
    this.store = store;
    this.trusted = trusted;
    this.signer = signer;
    this.say = say;
    this.signal = signal;
    this.patience = patience();
  }

  get name(): string {
    return this.remote.name;
  }

  /** Warns of the first failure in a run; the log has all of them. */
  private warnFailure(words: string): void {
    const line = oneLine(words);
    const log = this.store.remoteLog;
    mkdirSync(dirname(log), { recursive: true });
    appendFileSync(log, `${new Date().toISOString()} ${this.remote.name}: ${line}\n`);
    if (!this.said)
      this.say(`shared cache ${this.remote.name}: ${line} Further failures are not shown: see ${log}.`);
    this.said = true;
  }

  /**
   * Asks the remote one thing, within its patience. Undefined after an outage, a time-out, or an entry that is unusable.
   * @param what names the entry, for the warning
   * @param bytes that it may have at most
   * @param work is handed a signal, and what to call whenever bytes move
   * @param end what becomes of an entry that is unusable, for the warning
   */
  private ask<T>(
    what: string,
    bytes: number,
    work: (signal: AbortSignal, moved: () => void) => Promise<T>,
    end = "It counts as a miss.",
  ): Promise<T | undefined> {
    return this.lane(async () => {
      if (this.signal.aborted || performance.now() < this.awayUntil) return undefined;
      const late = new AbortController();
      const { patience } = this;
      const silence = setTimeout(
        () => late.abort(new Error(`said nothing for ${patience / 1000} s`)),
        patience,
      );
      const most = PATIENCES * patience + (bytes / SLOWEST_BYTES_PER_SECOND) * 1000;
      const slow = new Unusable(`took longer than ${Math.ceil(most / 1000)} s`);
      const deadline = setTimeout(() => late.abort(slow), Math.min(most, LONGEST_TIMER_MILLISECONDS));
      const signal = AbortSignal.any([late.signal, this.signal]);
      const ended = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
      );
      try {
        // A share that hangs does not listen to a signal: it is left behind.
        return await Promise.race([work(signal, () => silence.refresh()), ended]);
      } catch (error) {
        if (!this.signal.aborted) this.failed(what, late.signal.aborted ? late.signal.reason : error, end);
        return undefined;
      } finally {
        clearTimeout(silence);
        clearTimeout(deadline);
      }
    });
  }

  /** Tells of what went wrong; after anything but an entry that is unusable the remote is left alone for a while. */
  private failed(what: string, reason: Error, end: string): void {
    if (reason instanceof Unusable) {
      this.warnFailure(`${what} ${reason.message}. ${end}`);
      return;
    }
    const text = (reason.message || reason.name).split("\n")[0].replace(/\.$/, "");
    this.awayUntil = performance.now() + AWAY_MILLISECONDS;
    this.warnFailure(`cannot be reached (${text}); the run goes on without it, and retries in a minute.`);
  }

  /** The record of a task's key, if a trusted key signed it. */
  async record(key: string, task: Task): Promise<StageRecord | undefined> {
    return this.ask(`the record of ${task.id}`, 0, async (signal, moved) => {
      const stream = await this.remote.read(recordName(key), signal);
      if (!stream) return undefined;
      const pieces: Buffer[] = [];
      for await (const piece of metered(addAbortSignal(signal, stream), moved, RECORD_BYTES))
        pieces.push(piece);
      return opened(Buffer.concat(pieces), key, task, this.trusted);
    });
  }

  /** Brings one object into the store. @returns whether it is there now, whole */
  private bringObject(hash: string, most: number, promised: boolean): Promise<boolean> {
    const output = { hash, bytes: 0, measured: false };
    const [[, path]] = this.store.filesOf(output);
    const wasThere = existsSync(path);
    const fault = this.store.faultOf(output);
    if (!fault) return Promise.resolve(true);
    if (wasThere) this.say(`cache: ${fault}; ${this.name} is asked for it.`);
    const brought =
      this.bringing.get(hash) ?? this.fetch(hash, most, promised).finally(() => this.bringing.delete(hash));
    this.bringing.set(hash, brought);
    return brought;
  }

  private async fetch(hash: string, most: number, promised: boolean): Promise<boolean> {
    const brought = await this.ask(`the object ${hash.slice(0, 8)}…`, most, async (signal, moved) => {
      const stream = await this.remote.read(objectName(hash), signal);
      if (!stream && promised) throw new Unusable("is gone, though a record names it");
      return stream ? this.receive(stream, hash, most, signal, moved) : false;
    });
    return brought === true;
  }

  /** Takes an object's bytes into the store. @throws Unusable when they are wrong, or this disk does not take them */
  private async receive(
    stream: Readable,
    hash: string,
    most: number,
    signal: AbortSignal,
    moved: () => void,
  ): Promise<boolean> {
    let path: string | undefined;
    let local: Error | undefined;
    let file: WriteStream | undefined;
    try {
      this.scratch ??= this.store.scratch("remote");
      path = join(this.scratch, hash);
      file = createWriteStream(path).on("error", (error) => {
        local = error;
      });
      await pipeline(metered(stream, moved, most), file, { signal });
      let whole: boolean;
      try {
        whole = this.store.keepObject(path, hash);
      } catch (error) {
        local = error as Error;
        throw error;
      }
      if (whole) return true;
      this.corrupt.add(hash);
      throw new Unusable("does not match its hash");
    } catch (error) {
      stream.destroy();
      if (error instanceof Unusable) this.corrupt.add(hash);
      if (error === local || path === undefined)
        throw new Unusable(`could not be kept: ${diskFault(error as Error).replace(/\.$/, "")}`);
      throw error;
    } finally {
      if (file) await closed(file);
      if (path) rmSync(path, { force: true });
    }
  }

  /**
   * Brings the files of outputs where they are not in the store.
   * @param promised whether the record came from the remote, so that the files must be there
   * @returns whether all are here now, whole
   */
  async bring(outputs: StoredOutput[], promised: boolean): Promise<boolean> {
    const brought = await Promise.all(
      [...sizesOf(outputs)].map(([hash, most]) => this.bringObject(hash, most, promised)),
    );
    return brought.every(Boolean);
  }

  /**
   * Sends a record and its objects, the record last; none whose key does not cover all that made it, and none that
   * another one signed: this machine signs only its own results. Does not wait: see {@link settle}.
   */
  push(record: StageRecord): void {
    if (!this.signer || record.notes.undeclared || record.by) return;
    try {
      this.pushes.push(this.send(record, shareable(record)));
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      this.warnFailure(`the record of ${record.id} ${error.message}.`);
    }
  }

  /** @param shown what others may see of it */
  private async send(record: StageRecord, shown: StageRecord): Promise<void> {
    const objects = Object.values(record.outputs).flatMap((output) => this.store.filesOf(output));
    const sent = await Promise.all(objects.map(([, path, hash]) => this.sendObject(path, hash)));
    const content = sealed(shown, this.signer!);
    const write = async (signal: AbortSignal) => {
      const stream = Readable.from([content]);
      const { length: bytes } = content;
      await this.remote.write(recordName(record.key), { bytes, stream, sha256: sha256(content) }, signal);
      return true;
    };
    const whole =
      sent.every(Boolean) &&
      (await this.ask(`the record of ${record.id}`, content.length, write, NOT_PUSHED));
    if (whole) this.count.pushed++;
    else this.unpushed.push(record);
  }

  /** @returns whether the remote has the object now */
  private async sendObject(path: string, hash: string): Promise<boolean> {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size;
    if (bytes === undefined) return false; // collected or quarantined since
    const write = async (signal: AbortSignal, moved: () => void) => {
      const there = await this.remote.size(objectName(hash), signal);
      if (there === bytes && !this.corrupt.has(hash)) return true;
      const stream = Readable.from(hashed(metered(createReadStream(path), moved), hash));
      try {
        await this.remote.write(objectName(hash), { bytes, stream, sha256: hash }, signal);
      } finally {
        stream.destroy();
      }
      return true;
    };
    return (await this.ask(`the object ${hash.slice(0, 8)}…`, bytes, write, NOT_PUSHED)) === true;
  }

  /** Whether the remote holds a record of this key, whoever signed it. */
  async holds(key: string): Promise<boolean> {
    const size = await this.ask("a record", 0, (signal) => this.remote.size(recordName(key), signal));
    return size !== undefined;
  }

  /** Waits for the running transfers, and retries the failed ones once. */
  async settle(): Promise<void> {
    await Promise.all(this.pushes.splice(0));
    const again = this.unpushed.splice(0);
    if (performance.now() >= this.awayUntil) for (const record of again) this.push(record);
    else for (const record of again) this.unpushed.push(record);
    await Promise.all(this.pushes.splice(0));
    this.count.notPushed = this.unpushed.length;
    if (this.scratch) removeTree(this.scratch);
    this.scratch = undefined;
  }
}
