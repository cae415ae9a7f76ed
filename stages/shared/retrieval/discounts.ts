/** The discounts of nDCG (Järvelin & Kekäläinen 2002), summed and tabulated. */

let table = new Float64Array(1);

/** Σ 1 / log2(1 + i) over i = 1 … n, for n = 0 to at least `most`: a table that is kept, and grows by doubling. */
export function discounts(most: number): Float64Array {
  if (table.length > most) return table;
  table = new Float64Array(Math.max(1024, 2 * table.length, most + 1));
  for (let n = 1; n < table.length; n++) table[n] = table[n - 1] + 1 / Math.log2(1 + n);
  return table;
}
