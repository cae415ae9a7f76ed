/** The record of a stage's run, and its file, whose checksum reveals damage. */
import { cpus, hostname } from "node:os";
import { Ajv, type ValidateFunction } from "ajv";
import type { EnvValue } from "../code/index.ts";
import { sha256 } from "../files/index.ts";
import type { Revision } from "../git/index.ts";
import type { Scalar } from "../stage.ts";
import { listingFault } from "./listing.ts";
import { RECORD_SCHEMA } from "./record-schema.ts";

/** A file of a listing: where, the sha256 of its content, and "x" where its owner may execute it. */
export type ListedFile = [path: string, hash: string, executable?: "x"];

/** One output in the store. Its hash is that of its file, or of its listing where it has one. */
export interface StoredOutput {
  hash: string;
  bytes: number;
  measured: boolean;
  /** Of a folder: its files, in order of path. Of an executable file: that alone, under the path "". */
  files?: ListedFile[];
  /** Of a folder: the folders below it that hold nothing, in order of path. */
  folders?: string[];
}

/** The hashes of an output's files. */
export const hashesOf = ({ hash, files }: StoredOutput): string[] => files?.map(([, one]) => one) ?? [hash];

/** Whether an output is a folder. */
export const isFolder = ({ files }: StoredOutput): boolean =>
  files !== undefined && !(files.length === 1 && files[0][0] === "");

/**
 * The hash of a listing. A rare field changes it only where it is present.
 * @param again links to folders that are listed already: see tree.ts
 * @param unread what cannot be read, and why
 */
export function listingHash(
  files: ListedFile[],
  folders: string[] = [],
  again: [path: string, listed: string][] = [],
  unread: [path: string, why: string][] = [],
): string {
  const rare = folders.length + again.length + unread.length > 0;
  return sha256(
    JSON.stringify(rare ? { files, folders, again, ...(unread.length ? { unread } : {}) } : files),
  );
}

/** The producer of one file of an input: an output of the run with that key, or the project. */
export type Origin = { id: string; output: string; key: string } | { file: string };

/** The record of one run of a stage instance. The fields beside `key` hold its ingredients. */
export interface StageRecord {
  key: string;
  id: string;
  stage: string;
  code: string;
  packages: string[];
  parts: Record<string, { name: string; code: string; params: Record<string, unknown> }>;
  params: Record<string, unknown>;
  inputs: Record<string, { hash: string; id?: string }[]>;
  env?: Record<string, EnvValue>;
  /** The producer of each file of each input: outside the key, and unknown to older records. */
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
  /** The public key that signed it, of a result that came from a shared cache. */
  by?: string;
}

/** Whether a value is a sha256 in hex: a key, or the name of an object. */
export const isHash = (value: unknown): value is string =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

/** This machine, as a record holds it. */
export const machineHere = (): StageRecord["machine"] => ({
  host: hostname(),
  node: process.version,
  cpu: cpus()[0]?.model ?? "",
  cores: cpus().length,
});

/** How a record's file begins: with the sha256 of all that follows these two lines. */
const SUM = /^\{\n "sum": "([0-9a-f]{64})",\n/;

/** A record as its file holds it. */
export function written(record: StageRecord): string {
  const body = `${JSON.stringify(record, null, 1)}\n`.slice(2);
  return `{\n "sum": "${sha256(body)}",\n${body}`;
}

let validate: ValidateFunction | undefined;

/**
 * The difference between a value and a record: a member that is missing or of another type, a hash that is none, a
 * listing that cannot be restored. "" for none. Every reader of a record, of the store or of a shared cache, calls this.
 */
export function recordFault(value: unknown): string {
  validate ??= new Ajv({ strictTuples: false, meta: false, validateSchema: false }).compile(RECORD_SCHEMA);
  if (!validate(value)) {
    const [{ instancePath, message }] = validate.errors!;
    return `${instancePath.slice(1, 100) || "it"} ${message}`;
  }
  for (const [name, output] of Object.entries((value as StageRecord).outputs)) {
    const { files, folders, hash } = output;
    if (!files && !folders) continue;
    const fault = isFolder(output)
      ? listingFault(
          files!.map(([path]) => path),
          folders,
        )
      : folders && "is of no folder";
    if (fault) return `the listing of its output "${name}" ${fault}`;
    if (listingHash(files!, folders) !== hash) return `its output "${name}" has another list of files`;
  }
  return "";
}

/**
 * The difference between the outputs of a record and those that its stage declares: "" for none.
 * @param declared a path that ends with "/" is a folder
 */
export function outputsFault(
  { outputs }: StageRecord,
  declared: Record<string, { path: string; measured: boolean }>,
): string {
  for (const name of Object.keys(outputs))
    if (!Object.hasOwn(declared, name)) return `has an output "${name}" that the stage does not declare`;
  for (const [name, { path, measured }] of Object.entries(declared)) {
    if (!Object.hasOwn(outputs, name)) return `lacks the output "${name}"`;
    const output = outputs[name];
    // A path without "/" may turn out to be a folder: a stage's own code or command makes what it makes.
    if ((path.endsWith("/") && !isFolder(output)) || output.measured !== measured)
      return `has another kind of output "${name}"`;
  }
  return "";
}

/** The record in a file; undefined when it is truncated, a byte of it changed, or it is none (see {@link recordFault}). */
export function readRecord(text: string): StageRecord | undefined {
  const [head, sum] = SUM.exec(text) ?? [];
  if (head === undefined || sha256(text.slice(head.length)) !== sum) return undefined;
  try {
    const { sum: _, ...record } = JSON.parse(text);
    return recordFault(record) ? undefined : (record as StageRecord);
  } catch {
    return undefined;
  }
}
