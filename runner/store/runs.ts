/** The runs of a store: the last key of each instance, and the keys that each run ended with. */
import { existsSync, lstatSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { readOwn, replaceFile, sha256 } from "../files/index.ts";
import { filesIn, isObject, jsonIn } from "./folder.ts";
import { isHash } from "./record.ts";
import { Records } from "./records.ts";

/** A run that is remembered. */
export interface Ran {
  profile: string;
  /** Whether all stages of the profile were up to date when it ended. */
  whole: boolean;
  keys: string[];
  /** When the last run ended that ended like this, in milliseconds. */
  ended: number;
  path: string;
}

export class Runs extends Records {
  private latestPath(profile: string): string {
    return join(this.folder, "latest", `${profile}.json`);
  }
  /** The key each instance of a profile last had. */
  latest(profile: string): Record<string, string> {
    const found = jsonIn(this.latestPath(profile));
    if (!isObject(found)) return {};
    return Object.fromEntries(
      Object.entries(found).filter((entry): entry is [string, string] => isHash(entry[1])),
    );
  }
  keepLatest(profile: string, keys: Record<string, string>): void {
    const before = this.latest(profile);
    const after = { ...before, ...keys };
    if (JSON.stringify(before) !== JSON.stringify(after))
      replaceFile(this.latestPath(profile), JSON.stringify(after), this.halves);
  }

  /**
   * Remembers the keys that a run ended with, for `gc`: one file for all runs that ended alike, with the time
   * of the last one.
   */
  keepRun(profile: string, keys: Record<string, string>, whole: boolean): void {
    const content = JSON.stringify({ profile, whole, keys: [...new Set(Object.values(keys))].sort() });
    const path = join(this.folder, "runs", `${sha256(content)}.json`);
    if (!existsSync(path)) replaceFile(path, content, this.halves);
    else {
      const now = new Date();
      utimesSync(path, now, now);
    }
  }

  /** The runs that are remembered, the latest first. A damaged one is left out. */
  runs(): Ran[] {
    const folder = join(this.folder, "runs");
    return filesIn(folder)
      .flatMap((name): Ran[] => {
        const path = join(folder, name);
        try {
          const text = readOwn(path);
          if (name !== `${sha256(text)}.json`) return [];
          const { profile, whole, keys } = JSON.parse(text);
          if (typeof profile !== "string" || !Array.isArray(keys) || !keys.every(isHash)) return [];
          return [{ profile, whole: whole === true, keys, ended: lstatSync(path).mtimeMs, path }];
        } catch {
          return []; // no file, or none that this tool wrote
        }
      })
      .sort((a, b) => b.ended - a.ended);
  }
}
