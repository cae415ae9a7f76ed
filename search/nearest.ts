/** The nearest codes of one query. */
import type { Blocks } from "../stages/shared/hamming/blocks.ts";

/** Rows of the database, nearest first; of equal distances the smaller row first. */
export interface Nearest {
  rows: Uint32Array;
  /** In bits. */
  distances: Uint16Array;
}

/** @param query its bytes; @param k at least 1 */
export function nearest(blocks: Blocks, query: Uint8Array, k: number): Nearest {
  const distances = blocks.measure(query);
  const counts = new Uint32Array(blocks.bits + 2);
  for (const distance of distances) counts[distance + 1]++;
  for (let d = 1; d < counts.length; d++) counts[d] += counts[d - 1]; // rows nearer than d
  const count = Math.min(k, blocks.rows);
  const rows = new Uint32Array(count);
  for (let row = 0; row < distances.length; row++) {
    const place = counts[distances[row]]++;
    if (place < count) rows[place] = row;
  }
  return { rows, distances: Uint16Array.from(rows, (row) => distances[row]) };
}
