/** Results computed from a text, kept by the text: most of a run that is up to date would be YAML and schemas. */
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { replaceCache, sweep } from "./atomic.ts";
import { readOwn } from "./regular.ts";
import { sha256 } from "./statcache.ts";

/** Beyond this many characters, what the last run did not ask for is forgotten. */
const ROOM = 4 << 20;

/** JSON in which no two different values look alike. */
const exact = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === "number" && !Number.isFinite(inner) ? `\0${inner}` : inner,
  );

/** The answers in a file; none yet, or none where it was truncated by a crash or written by somebody else. */
function textsIn(file: string): Record<string, string> {
  try {
    const found: unknown = JSON.parse(readOwn(file));
    return Object.fromEntries(Object.entries(found as object).filter(([, text]) => typeof text === "string"));
  } catch {
    return {};
  }
}

/** Answers as JSON, by the sha256 of all that they rest on. */
export class Memo {
  private readonly file: string;
  private readonly before: Record<string, string>;
  private readonly used: Record<string, string> = {};
  private changed = false;

  constructor(file: string) {
    this.file = file;
    this.before = textsIn(file);
  }

  /** A copy of the stored result; undefined where there is none. */
  get(asked: unknown): unknown {
    const key = sha256(exact(asked));
    const text = this.used[key] ?? this.before[key];
    if (text === undefined) return undefined;
    try {
      const answer: unknown = JSON.parse(text);
      this.used[key] = text;
      return answer;
    } catch {
      return undefined; // written by somebody else
    }
  }

  /** Keeps an answer, if JSON can hold it (-0 it cannot); an earlier one is forgotten in any case. */
  set(asked: unknown, answer: unknown): void {
    const key = sha256(exact(asked));
    delete this.used[key];
    delete this.before[key];
    this.changed = true;
    const text = JSON.stringify(answer);
    if (isDeepStrictEqual(JSON.parse(text), answer)) this.used[key] = text;
  }

  save(): void {
    if (!this.changed) return;
    const all = JSON.stringify({ ...this.before, ...this.used });
    const text = all.length > ROOM ? JSON.stringify(this.used) : all;
    sweep(dirname(this.file)); // what a kill left half written
    replaceCache(this.file, text);
    this.changed = false;
  }
}

const memos = new Map<string, Memo>();
/** The memo of a project. @param root its folder */
export function memoOf(root: string): Memo {
  const memo = memos.get(root) ?? new Memo(join(root, "node_modules/.cache/deephash/memo.json"));
  memos.set(root, memo);
  return memo;
}
