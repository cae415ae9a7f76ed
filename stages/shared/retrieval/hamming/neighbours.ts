/** The nearest codes of a query, in the one order that is their order everywhere. */

/** The nearest codes: nearest first, and of equal distances the smaller row first. Valid until the next search. */
export interface Neighbours {
  /** `[min(k, rows)]` */
  rows: Uint32Array;
  /** `[min(k, rows)]` */
  distances: Uint16Array;
}

/** Puts candidates in order, by counting: there are only so many distances. */
export class Sorter {
  private readonly starts: Uint32Array;
  private rows = new Uint32Array(0);
  private distances = new Uint16Array(0);

  constructor(bits: number) {
    this.starts = new Uint32Array(bits + 2);
  }

  /**
   * The k nearest of some candidates.
   * @param candidates rows, each once; @param of `[candidates]`: their distances, 0 to bits
   * @param rising whether the candidates of any one distance are in the order of their rows already
   */
  nearest(candidates: Uint32Array, of: Uint16Array, k: number, rising: boolean): Neighbours {
    const { starts } = this;
    const count = candidates.length;
    if (this.rows.length < count) {
      this.rows = new Uint32Array(2 * count);
      this.distances = new Uint16Array(2 * count);
    }
    const { rows, distances } = this;
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[of[i] + 1]++;
    for (let distance = 1; distance < starts.length; distance++) starts[distance] += starts[distance - 1];
    for (let i = 0; i < count; i++) {
      const to = starts[of[i]]++;
      rows[to] = candidates[i];
      distances[to] = of[i];
    }
    const wanted = Math.min(k, count);
    // starts[d] now is where distance d ends.
    if (!rising)
      for (let distance = 0, from = 0; from < wanted; from = starts[distance++])
        if (starts[distance] - from > 1) rows.subarray(from, starts[distance]).sort();
    return { rows: rows.subarray(0, wanted), distances: distances.subarray(0, wanted) };
  }
}
