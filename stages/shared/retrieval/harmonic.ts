/** Harmonic numbers, tabulated: sums over the places of a tie are differences of two of them. */

let table = new Float64Array(1);

/**
 * H(n) = 1 + 1/2 + … + 1/n for n = 0 to at least `most`, each as near as a float64 comes.
 * @returns a table that is kept, and grows by doubling
 */
export function harmonicNumbers(most: number): Float64Array {
  if (table.length > most) return table;
  table = new Float64Array(Math.max(1024, 2 * table.length, most + 1));
  let sum = 0;
  let lost = 0; // what rounding took away (Kahan 1965)
  for (let n = 1; n < table.length; n++) {
    const term = 1 / n - lost;
    const next = sum + term;
    lost = next - sum - term;
    sum = next;
    table[n] = sum;
  }
  return table;
}

/** So many places are added up one by one: the closed form is for larger ties, and rounds otherwise. */
const FEW_PLACES = 16;

/**
 * Σ (first + (k-1) slope) / (before + k) over k = 1 … places: with H the harmonic numbers and
 * D = H(before + places) - H(before), this is first · D + slope · (places - (before + 1) · D), off by 4e-15 times
 * (before + places) at most: sums are divided by the number of hits.
 */
export function sumOverPlaces(first: number, slope: number, before: number, places: number): number {
  if (places <= FEW_PLACES) {
    let sum = 0;
    for (let k = 1; k <= places; k++) sum += (first + (k - 1) * slope) / (before + k);
    return sum;
  }
  const harmonic = harmonicNumbers(before + places);
  const difference = harmonic[before + places] - harmonic[before];
  return first * difference + slope * (places - (before + 1) * difference);
}
