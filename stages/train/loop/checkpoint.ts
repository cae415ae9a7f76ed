/** Checkpoints: the state of a training in a file, from which a killed one goes on to the same bytes. */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";

/** Where checkpoints are kept between tries of a stage, and how often one is written. */
export interface CheckpointPlace {
  folder: string;
  seconds: number;
}

const NAME = "checkpoint";
const HASH_BYTES = 32;
const hashOf = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();

/** Writes a state so that after a kill either it or the one before is there, whole. */
export function writeCheckpoint(folder: string, state: unknown): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, NAME);
  const bytes = serialize(state);
  const file = openSync(`${path}.new`, "w");
  try {
    for (const part of [hashOf(bytes), bytes])
      for (let done = 0; done < part.length; ) done += writeSync(file, part, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

/** Reads a state; undefined where there is none, or a disk corrupted it: the training then starts over. */
export function readCheckpoint<T>(folder: string): T | undefined {
  const path = join(folder, NAME);
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  const content = bytes.subarray(HASH_BYTES);
  return hashOf(content).equals(bytes.subarray(0, HASH_BYTES)) ? deserialize(content) : undefined;
}
