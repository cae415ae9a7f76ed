/** The shared cache: trust, fetched files, and that every failure is a miss with one warning. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keyOf } from "../../../runner/code/bundle.ts";
import type { Task } from "../../../runner/plan/task.ts";
import type { Content, Remote } from "../../../runner/remote/place.ts";
import { SharedCache } from "../../../runner/remote/shared-cache.ts";
import type { StageRecord } from "../../../runner/store/record.ts";
import { makeSigner, type Signer } from "../../../runner/store/signing.ts";
import { Store } from "../../../runner/store/store.ts";

/** A remote in memory that counts what it is asked, and can be away. */
class Memory implements Remote {
  readonly name = "memory";
  readonly files = new Map<string, Buffer>();
  asked: string[] = [];
  down = false;

  private async enter(what: string): Promise<void> {
    this.asked.push(what);
    await sleep(1);
    if (this.down) throw new Error("connect ECONNREFUSED");
  }
  async read(name: string): Promise<Readable | undefined> {
    await this.enter(`read ${name}`);
    const bytes = this.files.get(name);
    return bytes && Readable.from([bytes]);
  }
  async size(name: string): Promise<number | undefined> {
    await this.enter(`size ${name}`);
    return this.files.get(name)?.length;
  }
  async write(name: string, { stream }: Content): Promise<void> {
    await this.enter(`write ${name}`);
    this.files.set(name, await buffer(stream));
  }
}

let root: string;
let remote: Memory;
let signer: Signer;
let said: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-shared-"));
  remote = new Memory();
  signer = makeSigner(join(root, "key.pem"));
  said = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

const storeNamed = (name: string) => new Store(join(root, name));
const open = (
  store: Store,
  { trusted = [signer.publicKey], by = signer as Signer | null, signal = new AbortController().signal } = {},
) => new SharedCache(remote, store, new Set(trusted), by ?? undefined, (line) => said.push(line), signal);

const INGREDIENTS = { code: "c".repeat(64), parts: {}, params: { start: 1 }, inputs: {} };
const task = {
  id: "train",
  outputs: { history: { path: "history.json", measured: false }, model: { path: "model/", measured: false } },
} as unknown as Task;

/** A stage that ended in a store: one file, and a folder of two. */
function made(store: Store, more: Partial<StageRecord> = {}): StageRecord {
  const scratch = store.scratch("made");
  const write = (name: string, text: string) => {
    writeFileSync(join(scratch, name), text);
    return store.keepOutput(join(scratch, name), false);
  };
  const history = write("history.json", "[1,2]");
  const files: [string, string][] = ["model.json", "weights.bin"].map((name) => [
    name,
    write(name, `the ${name}`).hash,
  ]);
  const record: StageRecord = {
    ...INGREDIENTS,
    key: keyOf(INGREDIENTS),
    id: "train",
    stage: "train",
    packages: [],
    outputs: {
      history,
      model: {
        hash: createHash("sha256").update(JSON.stringify(files)).digest("hex"),
        bytes: 30,
        measured: false,
        files,
      },
    },
    notes: {},
    machine: { host: "elsewhere", node: "v20", cpu: "", cores: 2 },
    ended: "2026-01-01T00:00:00.000Z",
    seconds: 1,
    peakMegabytes: 1,
    ...more,
  };
  store.keepRecord(record);
  return record;
}

/** Pushes a record from a store of its own. */
async function push(
  more: Partial<StageRecord> = {},
  options: Parameters<typeof open>[1] = {},
): Promise<StageRecord> {
  const store = storeNamed("maker");
  const record = made(store, more);
  const cache = open(store, options);
  cache.push(record);
  await cache.settle();
  return record;
}

const recordName = () => `records/${keyOf(INGREDIENTS)}.json`;
const objectName = (hash: string) => `objects/${hash.slice(0, 2)}/${hash}`;

test("what one store pushed, another has, byte by byte; the record goes last, an object once", async () => {
  const record = await push();
  expect(remote.asked.at(-1)).toBe(`write ${recordName()}`);
  expect(remote.files.size).toBe(4);
  remote.asked = [];
  await push();
  expect(remote.asked.filter((line) => line.startsWith("write"))).toEqual([`write ${recordName()}`]);

  const store = storeNamed("taker");
  const cache = open(store);
  const found = await cache.record(record.key, task);
  expect(found).toEqual({ ...record, by: signer.publicKey });
  remote.asked = [];
  expect(await cache.bring([record.outputs.model], true)).toBe(true);
  expect(remote.asked).toHaveLength(2); // nobody needs the history
  for (const [path, object] of store.filesOf(record.outputs.model))
    expect(readFileSync(object, "utf8")).toBe(`the ${path}`);
  expect(store.faultOf(record.outputs.model)).toBe("");
  remote.asked = [];
  expect(await cache.bring([record.outputs.model], true)).toBe(true);
  expect(remote.asked).toEqual([]);
  expect(said).toEqual([]);
});

test("a record is a promise until all its objects are here", async () => {
  const record = await push();
  const store = storeNamed("taker");
  const cache = open(store);
  store.keepPromise(record);
  expect(store.isPromise(record.key)).toBe(true);
  expect(new Store(store.folder).record(record.key)).toEqual(record);
  await cache.bring([record.outputs.model], true);
  store.redeem(record);
  expect(store.isPromise(record.key)).toBe(true);
  await cache.bring([record.outputs.history], true);
  store.redeem(record);
  expect(store.isPromise(record.key)).toBe(false);
  expect(new Store(store.folder).record(record.key)).toEqual(record);
  expect(existsSync(join(store.folder, "records", `${record.key}.json`))).toBe(true);
});

test("one object that two ask for at once is fetched once", async () => {
  const record = await push();
  const cache = open(storeNamed("taker"));
  remote.asked = [];
  const outputs = [record.outputs.history];
  expect(await Promise.all([cache.bring(outputs, true), cache.bring(outputs, true)])).toEqual([true, true]);
  expect(remote.asked).toHaveLength(1);
});

test("what another one signed is not signed again", async () => {
  const record = await push();
  const other = makeSigner(join(root, "other.pem"));
  const store = storeNamed("taker");
  const cache = open(store, { by: other });
  const found = (await cache.record(record.key, task))!;
  await cache.bring(Object.values(found.outputs), true);
  store.keepPromise(found);
  store.redeem(found);
  const before = new Map(remote.files);
  cache.push(store.record(record.key)!);
  await cache.settle();
  expect(remote.files).toEqual(before);
  expect(cache.count.pushed).toBe(0);
});

test("nothing is pushed without a key, nor what read more than it declared", async () => {
  await push({}, { by: null });
  await push({ notes: { undeclared: "reads data.csv" } });
  expect(remote.files.size).toBe(0);
});

/** A change to the remote's parsed record. */
type Signed = { record: string; by: string; signature: string };
const changed = (change: (signed: Signed) => unknown) => () => {
  const signed: Signed = JSON.parse(remote.files.get(recordName())!.toString());
  const result = change(signed);
  remote.files.set(
    recordName(),
    Buffer.from(typeof result === "string" ? result : JSON.stringify(result ?? signed)),
  );
};
/** A record that a trusted key signed, and that is wrong all the same. */
const resigned = (change: (record: StageRecord) => void) =>
  changed((signed) => {
    const record = JSON.parse(signed.record);
    change(record);
    signed.record = JSON.stringify(record);
    signed.signature = signer.sign(signed.record);
  });

describe("a record is a miss, with one warning, when", () => {
  test.each([
    ["it is cut off", changed(({ record }) => record.slice(0, 50)), "is no signed record"],
    ["it is not signed", changed(({ record }) => record), "is no signed record"],
    ["it is another kind of JSON", changed(() => "[null]"), "is no signed record"],
    [
      "an untrusted key signed it",
      changed((signed) => {
        const other = makeSigner(join(root, "other.pem"));
        Object.assign(signed, { by: other.publicKey, signature: other.sign(signed.record) });
      }),
      /is signed by ed25519:.{43}, which trusted-keys does not list/,
    ],
    [
      "it has another key's name",
      changed((signed) => {
        signed.signature = makeSigner(join(root, "other.pem")).sign(signed.record);
      }),
      "does not fit its signature by ed25519:",
    ],
    [
      "its text was changed after it was signed",
      changed((signed) => {
        signed.record = signed.record.replace('"seconds":1', '"seconds":2');
      }),
      "does not fit its signature by ed25519:",
    ],
    [
      "it is of another key",
      resigned((record) => Object.assign(record, { key: "0".repeat(64) })),
      "is the record of another key",
    ],
    [
      "its params are not those of its key",
      resigned((record) => Object.assign(record.params, { start: 2 })),
      "is the record of another key",
    ],
    [
      "an output is missing",
      resigned((record) => Reflect.deleteProperty(record.outputs, "model")),
      'lacks the output "model"',
    ],
    [
      "a path is outside of the store",
      resigned(({ outputs: { model } }) => {
        model.files![0][0] = "../../model.json";
        model.hash = createHash("sha256").update(JSON.stringify(model.files)).digest("hex");
      }),
      'is none as this version writes them (the listing of its output "model" holds "../../model.json"',
    ],
    [
      "a folder's listing has another hash",
      resigned(({ outputs: { model } }) => {
        model.files!.pop();
      }),
      'is none as this version writes them (its output "model" has another list of files)',
    ],
    [
      "a hash is none",
      resigned(({ outputs }) => Object.assign(outputs.history, { hash: "../../x" })),
      "is none as this version writes them (outputs/history/hash must match pattern",
    ],
    [
      "an output is there that the stage does not declare",
      resigned(({ outputs }) =>
        Object.assign(outputs, { more: { hash: "../../victim", bytes: 1, measured: false } }),
      ),
      "is none as this version writes them (outputs/more/hash must match pattern",
    ],
    [
      "one more output is there, as the store writes one",
      resigned(({ outputs }) => Object.assign(outputs, { more: outputs.history })),
      'has an output "more" that the stage does not declare',
    ],
    [
      "two paths are one on some disks",
      resigned(({ outputs: { model } }) => {
        model.files = [
          ["Model.json", model.files![0][1]],
          ["model.json", model.files![0][1]],
        ];
        model.hash = createHash("sha256").update(JSON.stringify(model.files)).digest("hex");
      }),
      'holds "Model.json" and "model.json", which some disks take for one',
    ],
    [
      "its signer's name would run the terminal",
      changed((signed) => {
        signed.by = "\u001b]0;owned\u0007";
      }),
      "is no signed record",
    ],
    ["it is endless", changed(() => " ".repeat((16 << 20) + 1)), "is longer than 16777216 bytes"],
  ])("%s", async (_, poison, message) => {
    const { key } = await push();
    poison();
    const cache = open(storeNamed("taker"));
    expect(await cache.record(key, task)).toBeUndefined();
    expect(await cache.record(key, task)).toBeUndefined();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^shared cache memory: the record of train /);
    if (typeof message === "string") expect(said[0]).toContain(message);
    else expect(said[0]).toMatch(message);
    // The log holds both.
    expect(readFileSync(join(root, "taker/logs/remote.log"), "utf8").trim().split("\n")).toHaveLength(2);
  });
});

describe("an object is not taken, with one warning, when", () => {
  test.each([
    [
      "a bit of it is flipped",
      (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => byte ^ Number(at === 2))),
      "does not match its hash",
    ],
    ["it is cut off", (bytes: Buffer) => bytes.subarray(0, 3), "does not match its hash"],
    ["it is empty", () => Buffer.alloc(0), "does not match its hash"],
    ["it is gone", () => undefined, "is gone, though a record names it"],
  ])("%s", async (_, change, message) => {
    const record = await push();
    const { hash } = record.outputs.history;
    const bad = change(remote.files.get(objectName(hash))!);
    if (bad) remote.files.set(objectName(hash), bad);
    else remote.files.delete(objectName(hash));
    const store = storeNamed("taker");
    const cache = open(store);
    expect(await cache.bring([record.outputs.history], true)).toBe(false);
    expect(await cache.bring([record.outputs.history, record.outputs.model], true)).toBe(false);
    expect(store.faultOf(record.outputs.history)).toContain("is gone");
    expect(store.faultOf(record.outputs.model)).toBe("");
    expect(said).toEqual([
      `shared cache memory: the object ${hash.slice(0, 8)}… ${message}. It counts as a miss. Further failures are not shown: see ${join(store.folder, "logs/remote.log")}.`,
    ]);
    // A rebuild repairs it.
    cache.push(made(store));
    await cache.settle();
    expect(remote.files.get(objectName(hash))!.toString()).toBe("[1,2]");
  });

  /** The content that a remote gives instead of an object. */
  const gives = (pieces: () => AsyncGenerator<Buffer>) => {
    remote.read = async () => Readable.from(pieces());
  };

  test("it is endless: it is read up to the size in the record", async () => {
    const { outputs } = await push();
    let given = 0;
    gives(async function* () {
      for (;;) {
        given += 1 << 16;
        yield Buffer.alloc(1 << 16);
      }
    });
    const store = storeNamed("taker");
    const cache = open(store);
    expect(await cache.bring([outputs.history], true)).toBe(false);
    expect(said[0]).toContain(`… is longer than ${outputs.history.bytes} bytes. It counts as a miss.`);
    expect(given).toBeLessThan(1 << 20);
    expect(
      readdirSync(join(store.folder, "scratch")).flatMap((name) =>
        readdirSync(join(store.folder, "scratch", name)),
      ),
    ).toEqual([]);
  });

  test("it drips: there is an end in all, however often a byte comes", async () => {
    const { outputs } = await push();
    vi.stubEnv("DEEPHASH_REMOTE_TIMEOUT", "0.2");
    gives(async function* () {
      for (;;) {
        await sleep(50);
        yield Buffer.alloc(0);
      }
    });
    const cache = open(storeNamed("taker"));
    const began = performance.now();
    expect(await cache.bring([outputs.history], true)).toBe(false);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(said[0]).toContain("… took longer than 2 s. It counts as a miss.");
    remote.read = Memory.prototype.read; // the remote itself is not away
    expect(await cache.bring([outputs.model], true)).toBe(true);
  });

  test("this disk does not take it: that is said, and the remote is not away", async () => {
    const { outputs } = await push();
    const store = storeNamed("taker");
    store.keepObject = () => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    };
    expect(await open(store).bring([outputs.history], true)).toBe(false);
    expect(said[0]).toMatch(/… could not be kept: the disk is full \(ENOSPC.*\)\..* It counts as a miss\./);
  });

  test("one that was written to while it was sent goes nowhere, nor does its record", async () => {
    const store = storeNamed("maker");
    const record = made(store);
    const [[, object]] = store.filesOf(record.outputs.history);
    rmSync(object);
    writeFileSync(object, "[1,3]"); // as a process does that its stage left behind
    const cache = open(store);
    cache.push(record);
    await cache.settle();
    expect(said[0]).toContain("… was written to while it was sent. It was not pushed.");
    expect([...remote.files.keys()].filter((name) => name.includes(record.outputs.history.hash))).toEqual([]);
    expect(remote.files.has(recordName())).toBe(false);
  });

  test("a local record's object that no remote has is no failure of the remote", async () => {
    const store = storeNamed("maker");
    const { outputs } = made(store);
    for (const [, object] of store.filesOf(outputs.history)) rmSync(object);
    expect(await open(store).bring([outputs.history], false)).toBe(false);
    expect(said).toEqual([]);
  });

  test("a corrupt local object is fetched again", async () => {
    const { outputs } = await push();
    const store = storeNamed("maker");
    const [[, object]] = store.filesOf(outputs.history);
    rmSync(object);
    writeFileSync(object, "[1,3]");
    expect(await open(store).bring([outputs.history], false)).toBe(true);
    expect(readFileSync(object, "utf8")).toBe("[1,2]");
    expect(said).toEqual([
      `cache: object ${outputs.history.hash.slice(0, 8)}… does not match its hash (disk fault or edited by hand). Quarantined; memory is asked for it.`,
    ]);
  });
});

describe("a remote that is away", () => {
  test("is asked once, said once, and left alone for the rest", async () => {
    const record = await push();
    remote.down = true;
    remote.asked = [];
    const cache = open(storeNamed("taker"));
    expect(await cache.record(record.key, task)).toBeUndefined();
    expect(await cache.record(record.key, task)).toBeUndefined();
    expect(await cache.bring([record.outputs.model], true)).toBe(false);
    expect(remote.asked).toHaveLength(1);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^shared cache memory: cannot be reached \(connect ECONNREFUSED\); the run goes on without it/,
    );
  });

  test("half-way through a push: no record without its objects, and push reports the failed ones", async () => {
    const store = storeNamed("maker");
    const cache = open(store);
    const write = remote.write.bind(remote);
    remote.write = async (...args) => {
      await write(...args);
      remote.down = true; // after the first object
    };
    cache.push(made(store));
    await cache.settle();
    expect(cache.count).toEqual({ fetched: 0, pushed: 0, notPushed: 1 });
    expect(remote.files.has(recordName())).toBe(false);
    expect(said).toHaveLength(1);
  });

  test("silent longer than its patience: it is not waited for", async () => {
    const record = await push();
    vi.stubEnv("DEEPHASH_REMOTE_TIMEOUT", "0.05");
    remote.read = () => new Promise(() => {});
    const began = performance.now();
    expect(await open(storeNamed("taker")).record(record.key, task)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(5000);
    expect(said[0]).toContain("cannot be reached (said nothing for 0.05 s)");
  });

  test("slow, but moving: it is waited for", async () => {
    const record = await push();
    vi.stubEnv("DEEPHASH_REMOTE_TIMEOUT", "1");
    const { hash } = record.outputs.history;
    const bytes = remote.files.get(objectName(hash))!;
    remote.read = async () =>
      Readable.from(
        (async function* () {
          for (const byte of bytes) {
            await sleep(250); // of 5 bytes: longer than the patience in all
            yield Buffer.of(byte);
          }
        })(),
      );
    expect(await open(storeNamed("taker")).bring([record.outputs.history], true)).toBe(true);
    expect(said).toEqual([]);
  });

  test("a cancelled run asks nothing more and warns of nothing", async () => {
    const record = await push();
    const cancelled = new AbortController();
    const cache = open(storeNamed("taker"), { signal: cancelled.signal });
    remote.read = () => new Promise(() => {});
    const asked = cache.record(record.key, task);
    cancelled.abort();
    expect(await asked).toBeUndefined();
    expect(said).toEqual([]);
  });
});

test("two that push the same at once: the record is one of theirs, whole", async () => {
  const stores = ["one", "two"].map(storeNamed);
  const records = stores.map((store, index) => made(store, { seconds: index }));
  const caches = stores.map((store) => open(store));
  for (const [index, cache] of caches.entries()) cache.push(records[index]);
  await Promise.all(caches.map((cache) => cache.settle()));
  const found = await open(storeNamed("taker")).record(records[0].key, task);
  expect(records.map((record) => ({ ...record, by: signer.publicKey }))).toContainEqual(found);
  expect(said).toEqual([]);
});
