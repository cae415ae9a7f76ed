/** What the store keeps of a stage's run, and how its file holds it: so that a damaged one is told. */
import type { Revision } from "./git.ts";
import type { Scalar } from "./stage.ts";
import { sha256 } from "./statcache.ts";

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
  /** The profile and the `--set`s it ran with, and what git said of the project; unknown to older records. */
  run?: { profile: string; settings: string[]; revision?: Revision };
  outputs: Record<string, StoredOutput>;
  /** Facts outside the key: backend, device, rates. */
  notes: Record<string, Scalar>;
  machine: { host: string; node: string; cpu: string; cores: number };
  ended: string;
  seconds: number;
  peakMegabytes: number;
}

/** How a record's file begins: with the sha256 of all that follows these two lines. */
const SUM = /^\{\n "sum": "([0-9a-f]{64})",\n/;
/** Records of earlier versions began with this. */
const UNSUMMED = '{\n "key": "';

/** A record as its file holds it. */
export function written(record: StageRecord): string {
  const body = `${JSON.stringify(record, null, 1)}\n`.slice(2);
  return `{\n "sum": "${sha256(body)}",\n${body}`;
}

/** The record in a file; undefined when it was cut off, or a byte of it changed. */
export function readRecord(text: string): StageRecord | undefined {
  const [head, sum] = SUM.exec(text) ?? [];
  if (head === undefined ? !text.startsWith(UNSUMMED) : sha256(text.slice(head.length)) !== sum)
    return undefined;
  try {
    const { sum: _, ...record } = JSON.parse(text);
    return record as StageRecord;
  } catch {
    return undefined;
  }
}
