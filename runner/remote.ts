/**
 * A shared cache: records and objects of other machines. What comes from it is trusted only when a trusted key
 * signed the record and every object has the hash the record says; whatever goes wrong is a miss, said once.
 */
import {
  appendFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { keyOf } from "./fingerprint.ts";
import { codesOf, type Plan } from "./plan.ts";
import { unpublished } from "./publish.ts";
import { isFolder, listingHash, type StageRecord, type StoredOutput } from "./record.ts";
import type { Remote } from "./remotes/remote.ts";
import type { Task } from "./resolve.ts";
import { readSigner, type Signer, signedBy, trustedKeys } from "./signing.ts";
import { UserError } from "./stage.ts";
import { sha256 } from "./statcache.ts";
import type { Store } from "./store.ts";

/** Transfers at a time. */
const LANES = 8;
/** How long the remote may say nothing before it counts as away, unless DEEPHASH_REMOTE_TIMEOUT says otherwise. */
const PATIENCE_SECONDS = 10;
/** How long a remote that was away is left alone. */
const AWAY_MILLISECONDS = 60_000;
/** No record is as long; what is longer is not read on. */
const RECORD_BYTES = 16 << 20;

/** A record as the remote holds it: `record` is its text, which `signature` by the key `by` covers. */
interface Signed {
  record: string;
  by: string;
  signature: string;
}

/** An entry that must not be used. The remote itself is well. */
class Poisoned extends Error {}

const recordName = (key: string): string => `records/${key}.json`;
const objectName = (hash: string): string => `objects/${hash.slice(0, 2)}/${hash}`;

/** What the user asked for. */
export interface RemoteOptions {
  /** A folder, or s3://BUCKET/PREFIX. */
  remote?: string;
  remotePush?: boolean;
}

const isHash = (value: unknown): value is string => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const isPath = (value: unknown): boolean =>
  typeof value === "string" && value.split("/").every((word) => !["", ".", ".."].includes(word));

/** Whether a value is an output as the store writes one, its listing and its hash in accord. */
function isOutput(value: unknown, folder: boolean): value is StoredOutput {
  const { hash, bytes, measured, files, folders = [] } = (value ?? {}) as StoredOutput;
  if (!isHash(hash) || typeof bytes !== "number" || typeof measured !== "boolean") return false;
  if (!folder && files === undefined) return folders.length === 0;
  return (
    Array.isArray(files) &&
    Array.isArray(folders) &&
    folder === isFolder(value as StoredOutput) &&
    files.every(([path, hash, x]) => (!folder || isPath(path)) && isHash(hash) && (!x || x === "x")) &&
    folders.every(isPath) &&
    listingHash(files, folders) === hash
  );
}

/** The record in the remote's bytes. @throws Poisoned when it is none of a trusted key, or not of this task */
function recordIn(bytes: Buffer, key: string, task: Task, trusted: Set<string>): StageRecord {
  let signed: Signed;
  let record: StageRecord;
  try {
    signed = JSON.parse(bytes.toString());
    record = JSON.parse(signed.record);
  } catch {
    throw new Poisoned("is no signed record");
  }
  if (!trusted.has(signed.by))
    throw new Poisoned(`is signed by ${String(signed.by).slice(0, 60)}, which trusted-keys does not list`);
  if (!signedBy(signed.by, signed.record, String(signed.signature)))
    throw new Poisoned(`does not fit its signature by ${signed.by}`);
  const { code, parts, params, inputs, env } = record;
  if (record.key !== key || keyOf({ code, parts, params, inputs, env }) !== key)
    throw new Poisoned("is the record of another key");
  for (const [name, { path }] of Object.entries(task.outputs))
    if (!isOutput(record.outputs?.[name], path.endsWith("/")))
      throw new Poisoned(`does not tell the output "${name}" rightly`);
  return record;
}

/** The pieces of a stream, each of which is told. */
async function* metered(stream: Readable, moved: () => void): AsyncGenerator<Buffer> {
  for await (const piece of stream) {
    moved();
    yield piece as Buffer;
  }
}

/** All objects of an output. */
const hashesOf = ({ hash, files }: StoredOutput): string[] => files?.map(([, hash]) => hash) ?? [hash];

export class SharedCache {
  private readonly remote: Remote;
  private readonly store: Store;
  private readonly trusted: Set<string>;
  private readonly signer?: Signer;
  private readonly say: (line: string) => void;
  private readonly signal: AbortSignal;
  private readonly patience: number;
  private said = false;
  private awayUntil = 0;
  private free = LANES;
  private readonly queue: (() => void)[] = [];
  private readonly bringing = new Map<string, Promise<boolean>>();
  private readonly bad = new Set<string>();
  private readonly pushes: Promise<void>[] = [];
  private readonly unpushed: StageRecord[] = [];
  private scratch?: string;
  /** Records that came from there, and that went there. */
  readonly count = { fetched: 0, pushed: 0, notPushed: 0 };

  /**
   * @param signer signs what is pushed; without one nothing is
   * @param say shows one warning
   * @param signal ends what is under way
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
    this.patience = Number(process.env.DEEPHASH_REMOTE_TIMEOUT || PATIENCE_SECONDS) * 1000;
  }

  get name(): string {
    return this.remote.name;
  }

  /** Says the first trouble of a run; all of it goes to a log. */
  private trouble(line: string): void {
    const log = this.store.logPath("remote");
    mkdirSync(dirname(log), { recursive: true });
    appendFileSync(log, `${new Date().toISOString()} ${this.remote.name}: ${line}\n`);
    if (!this.said)
      this.say(`shared cache ${this.remote.name}: ${line} Further trouble is not shown: see ${log}.`);
    this.said = true;
  }

  /**
   * Asks the remote one thing, within its patience. Undefined after an outage, a time-out, or a poisoned entry.
   * @param what names the entry, for the warning
   * @param work is handed a signal, and what to call whenever bytes move
   */
  private async ask<T>(
    what: string,
    work: (signal: AbortSignal, moved: () => void) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.free === 0) await new Promise<void>((go) => this.queue.push(go));
    else this.free--;
    try {
      if (this.signal.aborted || performance.now() < this.awayUntil) return undefined;
      const late = new AbortController();
      const timer = setTimeout(
        () => late.abort(new Error(`said nothing for ${this.patience / 1000} s`)),
        this.patience,
      );
      const signal = AbortSignal.any([late.signal, this.signal]);
      const ended = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
      );
      try {
        // A share that hangs does not listen to a signal: it is left behind.
        return await Promise.race([work(signal, () => timer.refresh()), ended]);
      } catch (error) {
        if (this.signal.aborted) return undefined;
        if (error instanceof Poisoned) {
          this.trouble(`${what} ${error.message}. It counts as a miss.`);
          return undefined;
        }
        const reason: Error = late.signal.aborted ? late.signal.reason : error;
        const text = (reason.message || reason.name).split("\n")[0].replace(/\.$/, "");
        this.awayUntil = performance.now() + AWAY_MILLISECONDS;
        this.trouble(`is away (${text}); the run goes on without it, and asks again in a minute.`);
        return undefined;
      } finally {
        clearTimeout(timer);
      }
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.free++;
    }
  }

  /** The record of a task's key, if a trusted key signed it. */
  async record(key: string, task: Task): Promise<StageRecord | undefined> {
    return this.ask(`the record of ${task.id}`, async (signal, moved) => {
      const stream = await this.remote.read(recordName(key), signal);
      if (!stream) return undefined;
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of metered(stream, moved)) {
        pieces.push(piece);
        bytes += piece.length;
        if (bytes > RECORD_BYTES) throw new Poisoned(`is longer than ${RECORD_BYTES} bytes`);
      }
      return recordIn(Buffer.concat(pieces), key, task, this.trusted);
    });
  }

  /** Brings one object into the store. @returns whether it is there now, whole */
  private bringObject(hash: string, promised: boolean): Promise<boolean> {
    const output = { hash, bytes: 0, measured: false };
    const [[, path]] = this.store.filesOf(output);
    const wasThere = existsSync(path);
    const fault = this.store.faultOf(output);
    if (!fault) return Promise.resolve(true);
    if (wasThere) this.say(`cache: ${fault}; ${this.name} is asked for it.`);
    const brought =
      this.bringing.get(hash) ?? this.fetch(hash, promised).finally(() => this.bringing.delete(hash));
    this.bringing.set(hash, brought);
    return brought;
  }

  private async fetch(hash: string, promised: boolean): Promise<boolean> {
    this.scratch ??= this.store.scratch("remote");
    const path = join(this.scratch, hash);
    const brought = await this.ask(`the object ${hash.slice(0, 8)}…`, async (signal, moved) => {
      const stream = await this.remote.read(objectName(hash), signal);
      if (!stream && promised) throw new Poisoned("is gone, though a record names it");
      if (!stream) return false;
      await pipeline(metered(stream, moved), createWriteStream(path), { signal });
      if (this.store.keepObject(path, hash)) return true;
      this.bad.add(hash);
      throw new Poisoned("does not match its hash");
    });
    return brought === true;
  }

  /**
   * Brings the files of outputs where they are not in the store.
   * @param promised whether the record came from the remote, so that the files must be there
   * @returns whether all are here now, whole
   */
  async bring(outputs: StoredOutput[], promised: boolean): Promise<boolean> {
    const hashes = [...new Set(outputs.flatMap(hashesOf))];
    const brought = await Promise.all(hashes.map((hash) => this.bringObject(hash, promised)));
    return brought.every(Boolean);
  }

  /**
   * Sends a record and its objects, the record last; none whose key does not cover all that made it. Does not
   * wait: see {@link settle}.
   */
  push(record: StageRecord): void {
    if (this.signer && !record.notes.undeclared) this.pushes.push(this.send(record));
  }

  private async send(record: StageRecord): Promise<void> {
    const objects = Object.values(record.outputs).flatMap((output) => this.store.filesOf(output));
    const sent = await Promise.all(
      objects.map(([, path, hash]) =>
        this.ask(`the object ${hash.slice(0, 8)}…`, async (signal, moved) => {
          const { size: bytes } = statSync(path);
          const there = await this.remote.size(objectName(hash), signal);
          if (there === bytes && !this.bad.has(hash)) return true;
          const stream = Readable.from(metered(createReadStream(path), moved));
          try {
            await this.remote.write(objectName(hash), { bytes, stream, sha256: hash }, signal);
          } finally {
            stream.destroy();
          }
          return true;
        }),
      ),
    );
    const whole =
      sent.every(Boolean) &&
      (await this.ask(`the record of ${record.id}`, async (signal) => {
        const text = JSON.stringify(record);
        const { publicKey, sign } = this.signer!;
        const signed: Signed = { record: text, by: publicKey, signature: sign(text) };
        const content = Buffer.from(JSON.stringify(signed));
        await this.remote.write(
          recordName(record.key),
          { bytes: content.length, stream: Readable.from([content]), sha256: sha256(content) },
          signal,
        );
        return true;
      }));
    if (whole) this.count.pushed++;
    else this.unpushed.push(record);
  }

  /** Whether the remote holds a record of this key, whoever signed it. */
  async holds(key: string): Promise<boolean> {
    const size = await this.ask("a record", (signal) => this.remote.size(recordName(key), signal));
    return size !== undefined;
  }

  /** Waits for what is on its way, and tries once more what did not get through. */
  async settle(): Promise<void> {
    await Promise.all(this.pushes.splice(0));
    const again = this.unpushed.splice(0);
    if (performance.now() >= this.awayUntil) for (const record of again) this.push(record);
    else this.unpushed.push(...again);
    await Promise.all(this.pushes.splice(0));
    this.count.notPushed = this.unpushed.length;
    if (this.scratch) rmSync(this.scratch, { recursive: true, force: true });
    this.scratch = undefined;
  }
}

/**
 * What a shared cache can do for a task that would run: bring its record, with the files that publishing it
 * needs; else the files it needs itself.
 * @returns the record; undefined when it must run
 */
export async function prepare(
  task: Task,
  key: string,
  plan: Plan,
  store: Store,
  root: string,
  cache: SharedCache,
): Promise<StageRecord | undefined> {
  const record = plan.mustRun(task) ? undefined : await cache.record(key, task);
  if (record && (await cache.bring(unpublished(task, record, store, root), true))) {
    for (const [hash, facts] of codesOf(task)) store.keepCode(hash, facts);
    store.keepPromise(record);
    store.redeem(record);
    cache.count.fetched++;
    return record;
  }
  const makers = new Map<StageRecord, StoredOutput[]>();
  for (const reference of Object.values(task.inputs).flat()) {
    const state = "id" in reference ? plan.states.get(reference.id)! : undefined;
    if (!("id" in reference) || (state?.kind !== "hit" && state?.kind !== "done")) continue;
    const wanted = makers.get(state.record) ?? [];
    makers.set(state.record, [...wanted, state.record.outputs[reference.output]]);
  }
  await Promise.all(
    [...makers].map(async ([maker, outputs]) => {
      if (await cache.bring(outputs, store.isPromise(maker.key))) store.redeem(maker);
    }),
  );
  return undefined;
}

/**
 * The shared cache that the options name; undefined for none. DEEPHASH_REMOTE_PUSH=1 stands for --remote-push.
 * @throws UserError when it cannot serve: no key is trusted, none signs, the place is no place
 */
export async function openRemote(
  options: RemoteOptions,
  root: string,
  store: Store,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SharedCache | undefined> {
  const name = options.remote;
  const push = options.remotePush ?? process.env.DEEPHASH_REMOTE_PUSH === "1";
  if (!name) {
    if (options.remotePush)
      throw new UserError("--remote: name the shared cache to push to, a folder or s3://BUCKET/PREFIX.");
    return undefined;
  }
  const signer = push ? readSigner() : undefined;
  if (push && !signer)
    throw new UserError(
      "--remote-push: there is no key to sign with. Make one: npm run pipeline -- key. Or put it into DEEPHASH_SIGNING_KEY.",
    );
  const trusted = trustedKeys(root);
  if (trusted.size === 0 && !push)
    throw new UserError(
      `--remote ${name}: no key is trusted, so nothing from there could be used. List the public key of who pushes in the file trusted-keys.`,
    );
  const remote = name.startsWith("s3://")
    ? await (await import("./remotes/s3.ts")).openS3(name)
    : new (await import("./remotes/directory.ts")).Directory(resolve(root, name));
  return new SharedCache(remote, store, trusted, signer, say, signal);
}
