/** The codes near a query: all up to the distance of the k-th, since the outputs order those at one distance. */
import { bytesOf, type Codes } from "../stages/shared/artifacts/codes.ts";
import { Blocks } from "../stages/shared/retrieval/hamming/blocks.ts";
import { MultiIndex } from "../stages/shared/retrieval/hamming/multi-index.ts";

/** Valid until the next search. */
export interface Near {
  /** Rows, in no order. */
  rows: Uint32Array;
  distanceOf(row: number): number;
  /** `[bits + 1]`: codes of the index at each distance, right up to that of the farthest of `rows`. */
  ties: Uint32Array;
}

/** Counters of one distance, and bytes of a number; see the kernel's `count`. */
const [LANES, WORD] = [4, 4];

/** Compares a query with all codes. */
class AllDistances {
  private readonly blocks: Blocks;
  private readonly counters: Uint32Array;
  private readonly selected: number;

  constructor({ values, bits, rows }: Pick<Codes, "values" | "bits" | "rows">) {
    const counters = (bits + 1) * LANES;
    this.blocks = new Blocks(values, bits, undefined, WORD * (counters + rows));
    const { kernel, room } = this.blocks;
    this.counters = new Uint32Array(kernel.buffer, room, counters);
    this.selected = room + WORD * counters;
  }

  /** All distances, and how many there are of each. */
  measure(code: Uint8Array): { distances: Uint16Array; ties: Uint32Array } {
    const { blocks, counters } = this;
    const distances = blocks.measure(code);
    counters.fill(0);
    blocks.kernel.count(blocks.distances, blocks.rows, blocks.room);
    const sum = (at: number) => counters[at] + counters[at + 1] + counters[at + 2] + counters[at + 3];
    return {
      distances,
      ties: Uint32Array.from({ length: blocks.bits + 1 }, (_, distance) => sum(LANES * distance)),
    };
  }

  /** The rows of the query that was measured last, up to a distance. */
  within(limit: number): Uint32Array {
    const { kernel, rows, distances } = this.blocks;
    const end = kernel.select(distances, Math.ceil(rows / 8), limit, this.selected);
    return new Uint32Array(kernel.buffer, this.selected, (end - this.selected) / WORD);
  }
}

/**
 * Codes of an index whose tables are worth their memory, and searches that are worth the time to make them: as long as
 * 700 scans (bench/large-index.ts).
 */
export const TABLES = { rows: 200_000, searches: 700 };
/** Share of searches that the tables must answer, or they are given up: random codes have no near ones. */
const WORTH = 0.5;

/** Finds the front of queries, by tables (multi-index hashing) where these are faster, else by the scan. */
export class Front {
  private readonly codes: Pick<Codes, "values" | "bits" | "rows" | "labels" | "classes">;
  private readonly all: AllDistances;
  private readonly limits: typeof TABLES;
  private tables?: MultiIndex;
  private searches = 0;

  /** @param limits see {@link TABLES} */
  constructor(codes: Pick<Codes, "values" | "bits" | "rows" | "labels" | "classes">, limits = TABLES) {
    this.codes = codes;
    this.all = new AllDistances(codes);
    this.limits = limits;
    // Memory of the kernel that no one touched and code that V8 did not compile yet would make the first query slow.
    this.all.measure(codes.values.subarray(0, bytesOf(codes.bits)));
    this.all.within(0);
  }

  /**
   * The codes as near as the k-th of those with some labels.
   * @param most distance beyond which none is taken; @param also rows whose distance is asked for as well
   */
  near(code: Uint8Array, k: number, most: number, labels: Set<number> | undefined, also: Set<number>): Near {
    const tables = labels === undefined && k < this.codes.rows;
    return (tables && this.byTables(code, k, most, also)) || this.byScan(code, k, most, labels);
  }

  private byTables(code: Uint8Array, k: number, most: number, also: Set<number>): Near | undefined {
    const { limits, codes } = this;
    this.searches++;
    if (codes.rows < limits.rows || this.searches < limits.searches) return undefined;
    if (this.searches === limits.searches) this.tables = new MultiIndex(codes.values, codes.bits);
    const { tables } = this;
    const tried = this.searches - limits.searches;
    if (tables && tried === limits.searches && tables.answered < WORTH * tried) this.tables = undefined;
    const front = tables?.front(code, k);
    if (!front) return undefined;
    const distances = new Map<number, number>();
    for (const [at, row] of front.rows.entries()) distances.set(row, front.distances[at]);
    for (const row of also) if (!distances.has(row)) return undefined; // its distance is beyond
    const rows = front.rows.filter((_, at) => front.distances[at] <= most);
    return { rows, distanceOf: (row) => distances.get(row)!, ties: front.ties };
  }

  private byScan(code: Uint8Array, k: number, most: number, labels: Set<number> | undefined): Near {
    const { distances, ties } = this.all.measure(code);
    const wanted = labels ? this.countOf(distances, labels) : ties;
    let limit = 0;
    for (let taken = wanted[0]; taken < k && limit < most; ) taken += wanted[++limit];
    return { rows: this.all.within(Math.min(limit, most)), distanceOf: (row) => distances[row], ties };
  }

  /** How many codes with some labels there are at each distance. */
  private countOf(distances: Uint16Array, labels: Set<number>): Uint32Array {
    const counts = new Uint32Array(this.codes.bits + 1);
    const isWanted = new Uint8Array(this.codes.classes.length);
    for (const label of labels) isWanted[label] = 1;
    for (let row = 0; row < distances.length; row++)
      counts[distances[row]] += isWanted[this.codes.labels[row]];
    return counts;
  }
}
