/** How many codes lie at each distance of a query, and what labels they share with it: where images may have several. */
import { hasLabel, setBytes, sharedLabels } from "../../artifacts/label-sets.ts";
import { type Elected, elected } from "../elected.ts";
import type { Gains } from "../more.ts";
import { Blocks } from "./blocks.ts";

/** A database of codes with sets of labels, that counts for one query after the other. */
export class SetCounts {
  /** `[bits + 1]`: all codes at each distance of the last query, and those that share a label with it. */
  readonly all: Uint32Array;
  readonly relevant: Uint32Array;
  private readonly blocks: Blocks;
  private readonly sets: Uint8Array;
  private readonly classes: number;
  private readonly bytes: number;
  /** `[bits + 1]`: see {@link Gains}. */
  private readonly shared: Float64Array;
  private readonly grown: Float64Array;
  private readonly grades: Uint32Array;
  private distances: Uint16Array = new Uint16Array(0);
  private skip = -1;

  /** @param codes `[rows, bytesOf(bits)]`; @param sets `[rows, setBytes(classes)]` */
  constructor(codes: Uint8Array, bits: number, sets: Uint8Array, classes: number) {
    this.blocks = new Blocks(codes, bits);
    this.sets = sets;
    this.classes = classes;
    this.bytes = setBytes(classes);
    this.all = new Uint32Array(bits + 1);
    this.relevant = new Uint32Array(bits + 1);
    this.shared = new Float64Array(bits + 1);
    this.grown = new Float64Array(bits + 1);
    this.grades = new Uint32Array(classes + 1);
  }

  /**
   * Counts for a query.
   * @param code `[bytesOf(bits)]`; @param queries the sets of queries, and @param query the row of this one
   * @param skip a code that is left out: the query itself
   */
  count(code: Uint8Array, queries: Uint8Array, query: number, skip = -1): void {
    const { all, relevant, shared, grown, grades, sets, bytes } = this;
    for (const counts of [all, relevant, shared, grown, grades]) counts.fill(0);
    this.distances = this.blocks.measure(code);
    this.skip = skip;
    for (let row = 0; row < this.distances.length; row++) {
      if (row === skip) continue;
      const distance = this.distances[row];
      const common = sharedLabels(queries, query, sets, row, bytes);
      all[distance]++;
      if (common === 0) continue;
      relevant[distance]++;
      shared[distance] += common;
      grown[distance] += 2 ** common - 1;
      grades[common]++;
    }
  }

  /** For the metrics of graded relevance of the last query. */
  gains(): Gains {
    const inside = (_: number, distance: number) => this.relevant[distance] > 0;
    return {
      shared: this.shared.filter(inside),
      grown: this.grown.filter(inside),
      grades: this.grades,
    };
  }

  /** The labels that the k nearest codes vote for; codes at the last distance share what votes are left, as of `vote`. */
  vote(k: number): Elected {
    const { all, distances, sets, bytes, classes, skip } = this;
    let last = 0;
    let before = 0;
    while (last < all.length - 1 && before + all[last] < k) before += all[last++];
    const ties = Math.max(1, all[last]);
    const inside = Math.min(k - before, all[last]);
    // All votes times t: as whole numbers, equal ones are equal.
    const votes = new Float64Array(classes);
    for (let row = 0; row < distances.length; row++) {
      if (row === skip || distances[row] > last) continue;
      const weight = distances[row] < last ? ties : inside;
      for (let label = 0; label < classes; label++)
        if (hasLabel(sets, row, label, bytes)) votes[label] += weight;
    }
    return elected(votes, (before + inside) * ties);
  }
}
