/** How many codes of each class lie at each distance of a query: all that metrics and votes need to know. */
import { Blocks } from "./blocks.ts";
import type { Kernel } from "./kernel.ts";

/** Counters of one distance; see {@link Kernel.count}. */
const LANES = 4;
const WORD = 4;

/** A database of codes with classes, that counts for one query after the other. */
export class Counts {
  readonly engine: Kernel["engine"];
  readonly classes: number;
  /** One more than the bits: distances 0 to bits. */
  readonly distances: number;
  /** `[distances]`: all codes at each distance of the last query. */
  readonly all: Uint32Array;
  /** `[classes, distances]`: those of each class. */
  readonly ofClass: Uint32Array;
  private readonly blocks: Blocks;
  /** Where each class begins: the codes are sorted by class, so that one is counted without looking at labels. */
  private readonly starts: Uint32Array;
  private readonly counters: Uint32Array;

  /**
   * @param codes `[rows, bytesOf(bits)]`; @param labels `[rows]`, each below `classes`
   * @param engine to choose one
   * @throws UserError when there is no code
   */
  constructor(
    codes: Uint8Array,
    bits: number,
    labels: Uint16Array,
    classes: number,
    engine?: Kernel["engine"],
  ) {
    const starts = new Uint32Array(classes + 1);
    for (const label of labels) starts[label + 1]++;
    for (let label = 0; label < classes; label++) starts[label + 1] += starts[label];
    const next = starts.slice();
    const order = new Uint32Array(labels.length);
    for (let row = 0; row < labels.length; row++) order[next[labels[row]]++] = row;

    this.classes = classes;
    this.distances = bits + 1;
    this.starts = starts;
    const counters = classes * this.distances * LANES;
    this.blocks = new Blocks(codes, bits, order, WORD * counters, engine);
    this.engine = this.blocks.kernel.engine;
    this.counters = new Uint32Array(this.blocks.kernel.buffer, this.blocks.room, counters);
    this.all = new Uint32Array(this.distances);
    this.ofClass = new Uint32Array(classes * this.distances);
  }

  /** Counts for a query: fills `all` and `ofClass`. @param query `[bytesOf(bits)]` */
  count(query: Uint8Array): void {
    const { blocks, classes, distances, starts, counters, all, ofClass } = this;
    blocks.measure(query);
    counters.fill(0);
    for (let label = 0; label < classes; label++)
      blocks.kernel.count(
        blocks.distances + 2 * starts[label],
        starts[label + 1] - starts[label],
        blocks.room + WORD * LANES * distances * label,
      );
    all.fill(0);
    for (let label = 0, cell = 0; label < classes; label++)
      for (let distance = 0; distance < distances; distance++, cell++) {
        const at = LANES * cell;
        const items = counters[at] + counters[at + 1] + counters[at + 2] + counters[at + 3];
        ofClass[cell] = items;
        all[distance] += items;
      }
  }

  /** Leaves out one code of the last count that equals the query: the query itself. @param label its class */
  leaveOut(label: number): void {
    this.all[0]--;
    this.ofClass[label * this.distances]--;
  }

  /** Those of one class, `[distances]`: a view that stays. */
  relevant(label: number): Uint32Array {
    return this.ofClass.subarray(label * this.distances, (label + 1) * this.distances);
  }
}
