/** The artifact `search-timings`: the seconds of ranking and searching codes. */
import { writeFileSync } from "node:fs";
import { checkJson } from "./schema.ts";

/** The artifact `search-timings`. */
export interface SearchTimings {
  /** Compared the codes. */
  engine: string;
  threads: number;
  queries: number;
  database: number;
  bits: number;
  /** Of a code. */
  bytes: number;
  /** All queries: whole rankings with their metrics, on these threads. */
  rank_seconds: number;
  /** Neighbours that were searched. */
  k: number;
  /** All queries: their k nearest by an exact scan, on one thread. */
  search_seconds: number;
}

/** Writes `search-timings`. */
export function writeSearchTimings(path: string, timings: SearchTimings): void {
  checkJson(timings, "search-timings", path);
  writeFileSync(path, `${JSON.stringify(timings, null, 2)}\n`);
}
