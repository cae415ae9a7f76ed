/** Groups of photos that are the same, or nearly. */
import { Scan } from "../../stages/shared/retrieval/hamming/scan.ts";
import { type Print, printOf, VIEWS } from "./views.ts";

/** A photo as it is compared. */
export interface Thumb {
  path: string;
  bytes: number;
  /** Of the file. */
  sha256: string;
  /** `[SIDE, SIDE]` grey */
  grey: Uint8Array;
}

/** When two photos are near duplicates: where some view of one and the other as it is differ by no more than this. */
export interface Threshold {
  /** Bits of the difference hashes, of 64. */
  bits: number;
  /** Least correlation of the outlines, to 1. */
  correlation: number;
}

/** Measured on planted duplicates: see docs/search.md. */
export const DEFAULT: Threshold = { bits: 12, correlation: 0.9 };

/** Near hashes that are looked at for each view. */
const CANDIDATES = 32;

/** A photo of a group. */
export interface Member {
  path: string;
  bytes: number;
  /** Its relation to the group's first photo, or to another of the group: a copy of the file, or an image that is nearly the same. */
  kind: "first" | "exact" | "near";
  /** Highest correlation with another photo of the group, 0 to 1. */
  similarity: number;
}

/** The set of each photo. */
class Sets {
  private readonly parent: number[];

  constructor(count: number) {
    this.parent = Array.from({ length: count }, (_, i) => i);
  }

  of(one: number): number {
    while (this.parent[one] !== one) {
      this.parent[one] = this.parent[this.parent[one]];
      one = this.parent[one];
    }
    return one;
  }

  join(a: number, b: number): void {
    const [first, last] = [this.of(a), this.of(b)].sort((x, y) => x - y);
    this.parent[last] = first;
  }
}

const product = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** The photos that show something, as they are. */
function wholes(thumbs: Thumb[]): { rows: number[]; prints: Print[]; scan?: Scan } {
  const rows: number[] = [];
  const prints: Print[] = [];
  for (const [row, { grey }] of thumbs.entries()) {
    const print = printOf(grey, VIEWS[0]);
    if (!print) continue;
    rows.push(row);
    prints.push(print);
  }
  const hashes = new Uint8Array(Buffer.concat(prints.map(({ hash }) => hash)));
  return { rows, prints, ...(rows.length > 1 && { scan: new Scan(hashes, 64) }) };
}

/** Pairs of near duplicates, with their correlation. @param done called after each photo */
function* nearPairs(
  thumbs: Thumb[],
  { bits, correlation }: Threshold,
  done: () => void,
): Generator<{ a: number; b: number; similarity: number }> {
  const { rows, prints, scan } = wholes(thumbs);
  if (!scan) return;
  for (const row of rows) {
    for (const view of VIEWS) {
      const print = printOf(thumbs[row].grey, view);
      if (!print) continue;
      const near = scan.nearest(print.hash, CANDIDATES);
      for (let place = 0; place < near.rows.length && near.distances[place] <= bits; place++) {
        const other = rows[near.rows[place]];
        if (other === row) continue;
        const similarity = product(print.outline, prints[near.rows[place]].outline);
        if (similarity >= correlation) yield { a: row, b: other, similarity };
      }
    }
    done();
  }
}

/**
 * Groups photos: copies of a file, and photos of which a view (as it is, mirrored, cut) is nearly the other.
 * @returns the groups with more than one photo, each in the order given, the largest file first
 */
export function findGroups(thumbs: Thumb[], threshold: Threshold = DEFAULT, done = () => {}): Member[][] {
  const sets = new Sets(thumbs.length);
  const similarity = new Float64Array(thumbs.length);
  const byHash = new Map<string, number>();
  for (const [row, { sha256 }] of thumbs.entries()) {
    const first = byHash.get(sha256);
    if (first === undefined) byHash.set(sha256, row);
    else {
      sets.join(first, row);
      similarity[first] = similarity[row] = 1;
    }
  }
  for (const pair of nearPairs(thumbs, threshold, done)) {
    sets.join(pair.a, pair.b);
    for (const row of [pair.a, pair.b])
      similarity[row] = Math.max(similarity[row], Math.min(1, pair.similarity));
  }
  const groups = new Map<number, number[]>();
  for (const row of thumbs.keys()) groups.set(sets.of(row), [...(groups.get(sets.of(row)) ?? []), row]);
  return [...groups.values()]
    .filter((rows) => rows.length > 1)
    .map((rows) => members(thumbs, rows, similarity));
}

function members(thumbs: Thumb[], rows: number[], similarity: Float64Array): Member[] {
  const seen = new Set<string>();
  const sorted = [...rows].sort((a, b) => thumbs[b].bytes - thumbs[a].bytes || a - b);
  return sorted.map((row, place) => {
    const { path, bytes, sha256 } = thumbs[row];
    const kind = place === 0 ? "first" : seen.has(sha256) ? "exact" : "near";
    seen.add(sha256);
    return { path, bytes, kind, similarity: Number(similarity[row].toFixed(4)) };
  });
}
