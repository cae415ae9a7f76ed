/**
 * Multi-index hashing (Norouzi, Punjani & Fleet 2012, "Fast search in Hamming space with multi-index hashing"): a
 * code is cut into m substrings, and each is looked up in a table of its own. Two codes that differ in few bits
 * differ in fewer still in one of the substrings, so that a small ball around each of the query's finds them.
 */
import { bytesOf } from "../../artifacts/codes.ts";
import { checkQuery } from "./blocks.ts";
import { type Neighbours, Sorter } from "./neighbours.ts";
import { onesOfWord } from "./popcount.ts";
import { Scan } from "./scan.ts";

/** The widest substring: its table has an entry for each value. */
const WIDEST = 24;
/** A look-up, or a code it finds, takes about as long as so many codes of a scan (bench/hamming.ts). */
const COST = 32;
/** This share of a scan is spent on look-ups before it is asked what they will come to. */
const TRIAL = 1 / 8;

/** One table: the codes by their value in one substring. */
interface Table {
  /** First bit of the substring, and how many there are. */
  from: number;
  width: number;
  /** `[2^width + 1]`: where the codes of each value begin. */
  starts: Uint32Array;
  /** `[rows]`: rows by value, rising within one. */
  rows: Uint32Array;
  /** `[rows, words]`: the codes in that order, so that those of one value lie side by side. */
  codes: Uint32Array;
}

/** How many substrings a code is cut into, of {@link WIDEST} bits at most. @param wanted so many if that can be */
export function substringsFor(
  bits: number,
  rows: number,
  // A table then has about as many values as there are codes (section 4 of the paper), and no more: the memory
  // that is touched for a value without codes is lost.
  wanted = Math.ceil(bits / Math.log2(Math.max(2, rows))),
): number {
  return Math.min(bits, Math.max(1, wanted, Math.ceil(bits / WIDEST)));
}

/** Some bits of a code as a number. @param first byte of the code; @param width at most 24 */
function substring(codes: Uint8Array, first: number, from: number, width: number): number {
  let value = 0;
  for (let byte = (from + width - 1) >> 3; byte > from >> 3; byte--)
    value = (value << 8) | codes[first + byte];
  // Up to 24 bits that begin inside a byte: the lowest byte joins when the rest has moved out of its way.
  return ((value << (8 - (from & 7))) | (codes[first + (from >> 3)] >> (from & 7))) & ((1 << width) - 1);
}

/** Codes as words of 32 bits, filled up with 0: `[rows, words]`. */
function wordsOf(codes: Uint8Array, bytes: number, words: number): Uint32Array {
  const rows = codes.length / bytes;
  const out = new Uint32Array(rows * words);
  for (let row = 0; row < rows; row++)
    for (let byte = 0; byte < bytes; byte++)
      out[row * words + (byte >> 2)] |= codes[row * bytes + byte] << (8 * (byte & 3));
  return out;
}

export interface MultiIndexOptions {
  substrings?: number;
  cost?: number;
}

/** A database of codes that is searched through tables. Exact: its answers are those of {@link Scan}. */
export class MultiIndex {
  readonly tables: readonly Table[];
  /** Queries that the tables answered, without the scan. */
  answered = 0;
  private readonly bits: number;
  private readonly rows: number;
  private readonly words: number;
  private readonly scan: Scan;
  private readonly sorter: Sorter;
  /** Candidates so far, each once, with a bit for each row, and how many there are at each distance. */
  private readonly found: Uint32Array;
  private readonly distances: Uint16Array;
  private readonly seen: Uint32Array;
  private readonly counts: Uint32Array;
  /** `[bits + 1]`: what all steps up to each cost, in codes of a scan. */
  private readonly costs: Float64Array;
  private count = 0;
  /** Candidates must not lie beyond: k lie within already. */
  private bound = 0;
  private within = 0;

  /**
   * @param codes `[rows, bytesOf(bits)]`, as {@link packSigns} packs them
   * @param substrings see {@link substringsFor}; @param cost of a look-up; with 0 the scan never answers
   * @throws UserError when there is no code
   */
  constructor(codes: Uint8Array, bits: number, { substrings, cost = COST }: MultiIndexOptions = {}) {
    const bytes = bytesOf(bits);
    this.bits = bits;
    this.rows = codes.length / bytes;
    this.words = Math.ceil(bits / 32);
    this.scan = new Scan(codes, bits);
    const count = substringsFor(bits, this.rows, substrings);
    const words = wordsOf(codes, bytes, this.words);
    this.tables = Array.from({ length: count }, (_, index) => {
      const from = Math.floor((index * bits) / count);
      return this.table(codes, words, from, Math.floor(((index + 1) * bits) / count) - from);
    });
    this.sorter = new Sorter(bits);
    this.found = new Uint32Array(this.rows);
    this.distances = new Uint16Array(this.rows);
    this.seen = new Uint32Array(Math.ceil(this.rows / 32));
    this.counts = new Uint32Array(bits + 1);
    this.costs = new Float64Array(bits + 1);
    for (let step = 0, sum = 0; step <= bits; step++) {
      const { width } = this.tables[step % count];
      sum += cost * choose(width, Math.floor(step / count)) * (1 + this.rows / 2 ** width);
      this.costs[step] = sum;
    }
  }

  private table(packed: Uint8Array, words: Uint32Array, from: number, width: number): Table {
    const { rows: count, words: size } = this;
    const bytes = bytesOf(this.bits);
    const starts = new Uint32Array(2 ** width + 1);
    const values = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      values[row] = substring(packed, row * bytes, from, width);
      starts[values[row] + 1]++;
    }
    for (let value = 1; value < starts.length; value++) starts[value] += starts[value - 1];
    const next = starts.slice();
    const rows = new Uint32Array(count);
    const codes = new Uint32Array(count * size);
    for (let row = 0; row < count; row++) {
      const to = next[values[row]]++;
      rows[to] = row;
      for (let word = 0; word < size; word++) codes[to * size + word] = words[row * size + word];
    }
    return { from, width, starts, rows, codes };
  }

  /**
   * The nearest codes.
   * @param query `[bytesOf(bits)]`; @param k at least 1
   * @throws UserError when the query has other bytes
   */
  nearest(query: Uint8Array, k: number): Neighbours {
    const wanted = Math.min(k, this.rows);
    return this.lookUp(query, wanted) ? this.sorted(wanted) : this.scan.nearest(query, k);
  }

  /**
   * All codes as near as the k-th, nearest first, and how many codes lie at each distance up to its.
   * @returns undefined where a scan is faster
   * @throws UserError when the query has other bytes
   */
  front(query: Uint8Array, k: number): (Neighbours & { ties: Uint32Array }) | undefined {
    return this.lookUp(query, Math.min(k, this.rows))
      ? { ...this.sorted(this.within), ties: this.counts }
      : undefined;
  }

  /** The nearest of the candidates of the last query. */
  private sorted(count: number): Neighbours {
    return this.sorter.nearest(
      this.found.subarray(0, this.count),
      this.distances.subarray(0, this.count),
      count,
      false,
    );
  }

  /**
   * Step by step the tables are asked in turn: for all values at distance 0 of the query's, then at 1, and so on. After
   * step s all codes within distance s have been seen (proposition 2: the look-ups have left out only codes that
   * differ in more than s bits); when k lie within it, they are the k nearest. How many steps it takes at most is
   * known from the k-th distance so far: where they would take longer than a scan, as for a query far from all codes,
   * the look-up is given up.
   * @returns whether the candidates hold all codes as near as the k-th
   */
  private lookUp(query: Uint8Array, wanted: number): boolean {
    checkQuery(query, this.bits);
    const { tables, rows, costs, seen, found } = this;
    const words = wordsOf(query, query.length, this.words);
    this.counts.fill(0);
    this.count = 0;
    this.within = 0;
    this.bound = this.bits;
    let step = -1;
    while (step < this.bound) {
      step++;
      if (costs[step] > TRIAL * rows && costs[this.bound] > rows) break;
      const table = tables[step % tables.length];
      const radius = Math.floor(step / tables.length);
      if (radius <= table.width)
        this.probe(table, substring(query, 0, table.from, table.width), radius, words, wanted);
    }
    for (let i = 0; i < this.count; i++) seen[found[i] >> 5] = 0;
    const isAnswered = step >= this.bound;
    this.answered += Number(isAnswered);
    return isAnswered;
  }

  /** Looks at all codes whose substring differs from `value` in exactly `radius` bits. */
  private probe(table: Table, value: number, radius: number, query: Uint32Array, wanted: number): void {
    const { width, starts } = table;
    const end = 2 ** width;
    // All numbers of `width` bits with `radius` ones, rising (Warren 2002, "snoob").
    for (let mask = 2 ** radius - 1; mask < end; ) {
      const at = value ^ mask;
      if (starts[at] < starts[at + 1]) this.look(table, starts[at], starts[at + 1], query, wanted);
      if (mask === 0) break;
      const lowest = mask & -mask;
      const ripple = mask + lowest;
      mask = ripple | (((mask ^ ripple) >>> 2) / lowest);
    }
  }

  /** Takes in those of some codes that are not beyond the bound, and draws the bound nearer. */
  private look(table: Table, first: number, end: number, query: Uint32Array, wanted: number): void {
    const { words, seen, counts } = this;
    const { codes } = table;
    for (let place = first, at = first * words; place < end; place++) {
      let distance = 0;
      for (let word = 0; word < words; word++, at++) distance += onesOfWord(codes[at] ^ query[word]);
      if (distance > this.bound) continue;
      const row = table.rows[place];
      if ((seen[row >> 5] >>> (row & 31)) & 1) continue;
      seen[row >> 5] |= 1 << (row & 31);
      this.found[this.count] = row;
      this.distances[this.count++] = distance;
      counts[distance]++;
      this.within++;
      while (this.within - counts[this.bound] >= wanted) this.within -= counts[this.bound--];
    }
  }
}

/** How many sets of k things out of n there are. */
function choose(n: number, k: number): number {
  let sets = 1;
  for (let i = 1; i <= k; i++) sets *= (n - k + i) / i;
  return sets;
}
