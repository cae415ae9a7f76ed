/** The nearest codes by comparing all: exact, for codes of any length, at the speed of the kernel. */
import { Blocks } from "./blocks.ts";
import type { Kernel } from "./kernel.ts";
import { type Neighbours, Sorter } from "./neighbours.ts";

/** Counters of one distance; see {@link Kernel.count}. */
const LANES = 4;
const WORD = 4;
/** One code in so many is counted to learn how far away a candidate may be. */
const SAMPLE = 16;

/** A database of codes that is scanned for one query after the other. */
export class Scan {
  readonly engine: Kernel["engine"];
  private readonly blocks: Blocks;
  private readonly counters: Uint32Array;
  /** Address and view of the rows selected. */
  private readonly selected: number;
  private readonly candidates: Uint32Array;
  private readonly distances: Uint16Array;
  private readonly sorter: Sorter;

  /**
   * @param codes `[rows, bytesOf(bits)]`, as {@link packSigns} packs them
   * @param engine to choose one
   * @throws UserError when there is no code
   */
  constructor(codes: Uint8Array, bits: number, engine?: Kernel["engine"]) {
    const counters = (bits + 1) * LANES;
    const room = WORD * counters + (WORD * codes.length) / Math.ceil(bits / 8);
    this.blocks = new Blocks(codes, bits, undefined, room, engine);
    const { kernel, room: start, rows } = this.blocks;
    this.engine = kernel.engine;
    this.counters = new Uint32Array(kernel.buffer, start, counters);
    this.selected = start + WORD * counters;
    this.candidates = new Uint32Array(kernel.buffer, this.selected, rows);
    this.distances = new Uint16Array(rows);
    this.sorter = new Sorter(bits);
  }

  /**
   * @param query `[bytesOf(bits)]`; @param k at least 1
   * @throws UserError when the query has other bytes
   */
  nearest(query: Uint8Array, k: number): Neighbours {
    const { blocks, counters, selected, candidates, distances } = this;
    const { kernel, rows } = blocks;
    const all = blocks.measure(query);
    const wanted = Math.min(k, rows);

    // The k-th distance in a part of the codes is no smaller than that in all of them: all beyond it are out.
    counters.fill(0);
    kernel.count(blocks.distances, Math.max(wanted, Math.floor(rows / SAMPLE)), blocks.room);
    let limit = -1;
    for (let seen = 0; seen < wanted; ) {
      const at = LANES * ++limit;
      seen += counters[at] + counters[at + 1] + counters[at + 2] + counters[at + 3];
    }
    const end = kernel.select(blocks.distances, Math.ceil(rows / 8), limit, selected);
    const count = (end - selected) / WORD;
    for (let i = 0; i < count; i++) distances[i] = all[candidates[i]];
    return this.sorter.nearest(candidates.subarray(0, count), distances.subarray(0, count), wanted, true);
  }
}
