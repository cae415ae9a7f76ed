/** Removes from the store what nothing refers to any more. */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { removeTree, SCRATCH_NAME, sweep } from "../files/index.ts";
import { isHash, type StageRecord } from "./record.ts";
import type { Ran, Store } from "./store.ts";

export interface GcOptions {
  /** Milliseconds since the last run that used it; what is older goes. */
  olderThan?: number;
  /** Bytes that all objects together may take; the oldest go until they fit. */
  maxBytes?: number;
  /** How many runs of each profile keep what they ended with. */
  keepRuns: number;
}

/** One thing to be removed. */
export interface Garbage {
  kind: "record" | "object" | "code" | "log" | "run" | "download" | "set aside" | "scratch" | "bundle";
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

/** The hashes, or beginnings of hashes, that the texts below the folders name, each cut to what is shown. */
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

const hashesOf = (record: StageRecord): string[] =>
  Object.values(record.outputs).flatMap(({ hash, files }) => files?.map(([, one]) => one) ?? [hash]);

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

/**
 * What is to go, in the order in which it is removed: records before the objects they name, so that every record
 * stays whole and true whenever this is broken off.
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
  const add = (kind: Garbage["kind"], name: string, path: string, age = ageOf(path, now)) =>
    found.push({ kind, name, path, bytes: sizeOf(path), age });
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
    for (const hash of new Set(hashesOf(record))) users.set(hash, (users.get(hash) ?? 0) + 1);
  const sizes = new Map(store.objects().map((hash) => [hash, sizeOf(store.objectPath(hash))]));
  let left = [...sizes].reduce((sum, [hash, bytes]) => sum + (users.has(hash) ? bytes : 0), 0);
  const gone = new Set<string>();
  for (const { key, record, path, age } of candidates) {
    const tooMuch = maxBytes !== undefined && left > maxBytes;
    if (!old(age) && !tooMuch) continue;
    gone.add(key);
    add("record", record.id, path, age);
    for (const hash of new Set(hashesOf(record))) {
      users.set(hash, users.get(hash)! - 1);
      if (users.get(hash) === 0) left -= sizes.get(hash) ?? 0;
    }
  }
  for (const hash of sizes.keys()) if (!users.get(hash)) add("object", hash, store.objectPath(hash));

  const codes = new Set(
    [...records].flatMap(([key, { code, parts }]) =>
      gone.has(key) ? [] : [code, ...Object.values(parts).map((part) => part.code)],
    ),
  );
  // In these folders, too, what has no name that the store gives is somebody else's.
  for (const name of names(join(store.folder, "code"))) {
    const hash = name.replace(/\.json$/, "");
    if (isHash(hash) && !codes.has(hash)) add("code", name, join(store.folder, "code", name));
  }

  for (const name of names(join(store.folder, "logs"))) {
    const path = join(store.folder, "logs", name);
    const key = name.replace(/\.log$/, "");
    if (!isHash(key) && path !== store.remoteLog) continue;
    if (gone.has(key) || (!records.has(key) && old(ageOf(path, now)))) add("log", name, path);
  }
  for (const { path, profile } of ran) if (!kept.runs.has(path)) add("run", profile, path);
  for (const [kind, folder, ours] of [
    ["set aside", "bad", /^[0-9a-f]{64}(\.json)?-\d+$/],
    ["download", "downloads", /^/],
  ] as const)
    for (const name of names(join(store.folder, folder))) {
      const path = join(store.folder, folder, name);
      if (ours.test(name) && old(ageOf(path, now))) add(kind, name, path);
    }
  for (const name of names(join(store.folder, "scratch"))) {
    const path = join(store.folder, "scratch", name);
    if (SCRATCH_NAME.test(name) && ageOf(path, now) > ELSEWHERE_MILLISECONDS) add("scratch", name, path);
  }
  const bundles = join(root, "node_modules/.cache/deephash");
  let memo = "";
  try {
    memo = readFileSync(join(bundles, "code.json"), "utf8");
  } catch {} // then none of them is in use
  for (const name of names(bundles)) {
    const path = join(bundles, name);
    if (/^[0-9a-f]{64}\.mjs$/.test(name) && !memo.includes(name) && ageOf(path, now) > BUNDLE_MILLISECONDS)
      add("bundle", name, path);
  }
  return found;
}

/** Removes garbage, in its order. */
export function remove(found: Garbage[], store: Store, root: string): void {
  for (const { path } of found) removeTree(path);
  sweep(join(root, "node_modules/.cache/deephash"));
  store.forgetRemoved();
  store.save();
}
