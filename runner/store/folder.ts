/** Names and files in the folder of a store. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readOwn } from "../files/index.ts";
import { isHash } from "./record.ts";

/** All files below a folder, as paths from it, sorted. */
export function filesBelow(folder: string, prefix = ""): string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .flatMap((entry) => {
      const path = prefix ? `${prefix}/${entry.name}` : entry.name;
      return entry.isDirectory() ? filesBelow(folder, path) : [path];
    })
    .sort();
}

/** The names in a folder, sorted; none when it is not there. */
export function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** A hash or a key as part of a path. @throws Error for anything else, which could name a file outside the store */
export function named(hash: string): string {
  if (!isHash(hash))
    throw new Error(`${JSON.stringify(hash)?.slice(0, 80)} is no sha256: the store has no place for it.`);
  return hash;
}

/** The JSON of a file of the store; undefined when there is none, or it is no JSON. */
export function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readOwn(path));
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);
