/** The lists of a published folder: which of its files the runner wrote, and with what content. */
import { lstatSync, readFileSync } from "node:fs";
import { replaceFile } from "../files/index.ts";

/** The publisher of a file: an instance's id, and the file's sha256. */
export type Entry = [by: string, hash: string];

const ABOUT =
  "The files that npm run pipeline published here. It replaces and removes these files, and no others.";

/** The type of a directory entry. A link is "other", wherever it points to. */
export function typeAt(path: string): "none" | "file" | "folder" | "other" {
  try {
    const stats = lstatSync(path);
    return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return "none";
    throw error;
  }
}

/** A list as its file holds it; undefined when that is damaged. */
export function readList(path: string): Map<string, Entry> | undefined {
  const type = typeAt(path);
  if (type !== "file") return type === "none" ? new Map() : undefined;
  try {
    const entries = Object.entries(JSON.parse(readFileSync(path, "utf8")).files as Record<string, Entry>);
    const wellFormed = entries.every(
      ([file, [by, hash]]) =>
        file.split("/").every((name) => name !== "" && name !== "." && name !== "..") &&
        typeof by === "string" &&
        /^[0-9a-f]{64}$/.test(hash),
    );
    return wellFormed ? new Map(entries) : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the file of a list. */
export function writeList(path: string, entries: [string, Entry][]): void {
  const lines = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, entry]) => `  ${JSON.stringify(path)}: ${JSON.stringify(entry)}`);
  replaceFile(path, `{\n "about": ${JSON.stringify(ABOUT)},\n "files": {\n${lines.join(",\n")}\n }\n}\n`);
}
