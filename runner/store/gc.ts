/** Removes from the store what nothing refers to any more. */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { removeTree, SCRATCH_NAME, sweep } from "../files/index.ts";
import { hashesOf, isHash, type StageRecord } from "./record.ts";
import type { Ran } from "./runs.ts";
import type { Store } from "./store.ts";

export interface GcOptions {
  /** Milliseconds since the last run that used it; older results are removed. */
  olderThan?: number;
  /** Bytes that all objects together may take; the oldest go until they fit. */
  maxBytes?: number;
  /** How many runs of each profile keep what they ended with. */
  keepRuns: number;
}

/** One thing to be removed. */
export interface Garbage {
  kind:
    | "record"
    | "object"
    | "code"
    | "log"
    | "run"
    | "download"
    | "quarantined"
    | "scratch"
    | "checkpoint"
    | "bundle";
  name: string;
  path: string;
  bytes: number;
  /** Milliseconds since it was last used. */
  age: number;
}

/** Scratch of other machines, of which nobody here knows whether they still run. */
const ELSEWHERE_MILLISECONDS = 7 * 24 * 3600 * 1000;
/** A run on another store may still use the bundles that it found when it began. */
const BUNDLE_MILLISECONDS = 24 * 3600 * 1000;
/** As many characters of a hash as reports show. */
const SHOWN = 16;

const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

/** Bytes of a file, or of all below a folder. A link is not followed. */
function sizeOf(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return stats?.size ?? 0;
  try {
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  } catch {
    return 0; // a stage made it unreadable
  }
}

const ageOf = (path: string, now: number): number =>
  now - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);

/** The hashes, or beginnings of hashes, that the texts below the folders name, each cut to its shown length. */
function hashesIn(folders: string[]): Set<string> {
  const found = new Set<string>();
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(md|json|csv)$/.test(entry.name)) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      for (const [hash] of text.matchAll(/\b[0-9a-f]{16,64}\b/g)) found.add(hash.slice(0, SHOWN));
    }
  }
  return found;
}

/** The hashes of a record's objects, each once. */
const objectsOf = ({ outputs }: StageRecord): Set<string> =>
  new Set(Object.values(outputs).flatMap(hashesOf));

/** The keys that must stay: of the last runs, and of what reports name with all that it rests on. */
function keptKeys(
  store: Store,
  records: Map<string, StageRecord>,
  ran: Ran[],
  keepRuns: number,
  reports: string[],
): { keys: Set<string>; runs: Set<string> } {
  const keys = new Set<string>();
  const runs = new Set<string>();
  const whole = new Map<string, number>();
  for (const run of ran) {
    const count = whole.get(run.profile) ?? 0;
    if (count >= keepRuns) continue;
    // A run that did not come to its end is kept as well, but does not push out one that did.
    if (run.whole) whole.set(run.profile, count + 1);
    runs.add(run.path);
    for (const key of run.keys) keys.add(key);
  }
  // A store of before runs were remembered knows the last keys of each profile.
  const remembered = new Set(ran.map(({ profile }) => profile));
  for (const name of names(join(store.folder, "latest"))) {
    const profile = name.replace(/\.json$/, "");
    if (!remembered.has(profile)) for (const key of Object.values(store.latest(profile))) keys.add(key);
  }
  const named = hashesIn(reports);
  const makers = new Map<string, string[]>();
  for (const [key, { outputs }] of records)
    for (const { hash } of Object.values(outputs)) {
      const same = makers.get(hash);
      if (same) same.push(key);
      else makers.set(hash, [key]);
    }
  const open = [...records].flatMap(([key, { outputs }]) =>
    named.has(key.slice(0, SHOWN)) ||
    Object.values(outputs).some(({ hash }) => named.has(hash.slice(0, SHOWN)))
      ? [key]
      : [],
  );
  const visited = new Set<string>();
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (visited.has(key)) continue;
    visited.add(key);
    keys.add(key);
    for (const { hash } of Object.values(records.get(key)!.inputs).flat())
      for (const maker of makers.get(hash) ?? []) open.push(maker);
  }
  return { keys, runs };
}

const garbageAt = (
  kind: Garbage["kind"],
  name: string,
  path: string,
  now: number,
  age = ageOf(path, now),
): Garbage => ({ kind, name, path, bytes: sizeOf(path), age });

/** The code files that no record names which stays. A file without a name that the store gives is a person's. */
function unusedCodes(
  store: Store,
  records: Map<string, StageRecord>,
  gone: Set<string>,
  now: number,
): Garbage[] {
  const used = new Set(
    [...records].flatMap(([key, { code, parts }]) =>
      gone.has(key) ? [] : [code, ...Object.values(parts).map((part) => part.code)],
    ),
  );
  const folder = join(store.folder, "code");
  return names(folder).flatMap((name) => {
    const hash = name.replace(/\.json$/, "");
    return isHash(hash) && !used.has(hash) ? [garbageAt("code", name, join(folder, name), now)] : [];
  });
}

/** Old logs, quarantined files, downloads, checkpoints, scratch folders and bundles, by the names that this tool gives. */
function leftovers(
  store: Store,
  root: string,
  {
    records,
    gone,
    old,
    now,
  }: { records: Map<string, StageRecord>; gone: Set<string>; old(age: number): boolean; now: number },
): Garbage[] {
  const bundles = join(root, "node_modules/.cache/deephash");
  let memo = "";
  try {
    memo = readFileSync(join(bundles, "code.json"), "utf8");
  } catch {} // then none of the bundles is in use
  const isOldLog = (name: string, path: string, age: number) => {
    const key = name.replace(/\.log$/, "");
    if (!isHash(key) && path !== store.remoteLog) return false;
    return gone.has(key) || (!records.has(key) && old(age));
  };
  const rules: [Garbage["kind"], string, (name: string, path: string, age: number) => boolean][] = [
    ["log", join(store.folder, "logs"), isOldLog],
    [
      "quarantined",
      join(store.folder, "bad"),
      (name, _, age) => /^[0-9a-f]{64}(\.json)?-\d+$/.test(name) && old(age),
    ],
    ["download", join(store.folder, "downloads"), (_name, _path, age) => old(age)],
    [
      "checkpoint",
      join(store.folder, "checkpoints"),
      (name, _, age) => isHash(name) && (records.has(name) || old(age)),
    ],
    [
      "scratch",
      join(store.folder, "scratch"),
      (name, _, age) => SCRATCH_NAME.test(name) && age > ELSEWHERE_MILLISECONDS,
    ],
    [
      "bundle",
      bundles,
      (name, _, age) => /^[0-9a-f]{64}\.mjs$/.test(name) && !memo.includes(name) && age > BUNDLE_MILLISECONDS,
    ],
  ];
  return rules.flatMap(([kind, folder, isGarbage]) =>
    names(folder).flatMap((name) => {
      const path = join(folder, name);
      return isGarbage(name, path, ageOf(path, now)) ? [garbageAt(kind, name, path, now)] : [];
    }),
  );
}

/**
 * Lists what to remove, in order: records before their objects, so that a kill leaves no record without its objects.
 * @param root the project's folder
 * @param reports folders whose texts name the hashes of what must stay
 */
export function garbage(
  store: Store,
  root: string,
  reports: string[],
  { olderThan, maxBytes, keepRuns }: GcOptions,
  now = Date.now(),
): Garbage[] {
  const found: Garbage[] = [];
  const add = (kind: Garbage["kind"], name: string, path: string, age?: number) =>
    found.push(garbageAt(kind, name, path, now, age));
  const old = (age: number) => olderThan !== undefined && age > olderThan;

  const records = new Map<string, StageRecord>();
  for (const key of store.keys()) {
    const record = store.record(key);
    if (record) records.set(key, record);
  }
  const ran = store.runs();
  const kept = keptKeys(store, records, ran, keepRuns, reports);
  const lastRun = new Map<string, number>();
  for (const { keys, ended } of ran)
    for (const key of keys) lastRun.set(key, Math.max(ended, lastRun.get(key) ?? 0));
  const candidates = [...records]
    .filter(([key]) => !kept.keys.has(key))
    .map(([key, record]) => {
      const path = store.recordPath(key);
      return { key, record, path, age: Math.min(ageOf(path, now), now - (lastRun.get(key) ?? 0)) };
    })
    .sort((a, b) => b.age - a.age);

  const users = new Map<string, number>();
  for (const record of records.values())
    for (const hash of objectsOf(record)) users.set(hash, (users.get(hash) ?? 0) + 1);
  const sizes = new Map(store.objects().map((hash) => [hash, sizeOf(store.objectPath(hash))]));
  let left = [...sizes].reduce((sum, [hash, bytes]) => sum + (users.has(hash) ? bytes : 0), 0);
  const gone = new Set<string>();
  for (const { key, record, path, age } of candidates) {
    const tooMuch = maxBytes !== undefined && left > maxBytes;
    if (!old(age) && !tooMuch) continue;
    gone.add(key);
    add("record", record.id, path, age);
    for (const hash of objectsOf(record)) {
      users.set(hash, users.get(hash)! - 1);
      if (users.get(hash) === 0) left -= sizes.get(hash) ?? 0;
    }
  }
  for (const hash of sizes.keys()) if (!users.get(hash)) add("object", hash, store.objectPath(hash));

  found.push(
    ...unusedCodes(store, records, gone, now),
    ...leftovers(store, root, { records, gone, old, now }),
  );
  for (const { path, profile } of ran) if (!kept.runs.has(path)) add("run", profile, path);
  return found;
}

/** Removes garbage, in its order. */
export function remove(found: Garbage[], store: Store, root: string): void {
  for (const { path } of found) removeTree(path);
  sweep(join(root, "node_modules/.cache/deephash"));
  store.forgetRemoved();
  store.save();
}
