/** How well the bits of codes are used: a bit that is always the same, or the same as another, says nothing. */
import { bytesOf } from "../shared/artifacts/codes.ts";
import type { BitUse } from "../shared/artifacts/metrics.ts";
import { onesOfWord } from "../shared/retrieval/hamming/popcount.ts";
import { rounded } from "../shared/retrieval/written.ts";

/** Each bit of all codes in a row of its own, `[bits, words]`: bit i mod 32 of word ⌊i / 32⌋ is that of code i. */
function planesOf(codes: Uint8Array, bits: number): { planes: Uint32Array; rows: number; words: number } {
  const bytes = bytesOf(bits);
  const rows = codes.length / bytes;
  const words = Math.ceil(rows / 32);
  const planes = new Uint32Array(bits * words);
  for (let row = 0; row < rows; row++)
    for (let bit = 0; bit < bits; bit++)
      if ((codes[row * bytes + (bit >> 3)] >> (bit & 7)) & 1)
        planes[bit * words + (row >> 5)] |= 1 << (row & 31);
  return { planes, rows, words };
}

/** @param codes `[rows, bytesOf(bits)]`, at least one row */
export function bitUse(codes: Uint8Array, bits: number): BitUse {
  const bytes = bytesOf(bits);
  const { planes, rows, words } = planesOf(codes, bits);
  const ones = new Float64Array(bits);
  let off = 0;
  let worst = 0;
  let dead = 0;
  for (let bit = 0; bit < bits; bit++) {
    for (let at = bit * words; at < (bit + 1) * words; at++) ones[bit] += onesOfWord(planes[at]);
    const own = Math.abs(ones[bit] / rows - 0.5);
    off += own;
    worst = Math.max(worst, own);
    if (ones[bit] === 0 || ones[bit] === rows) dead++;
  }

  let sum = 0;
  let largest = 0;
  for (let a = 0; a < bits; a++)
    for (let b = a + 1; b < bits; b++) {
      // Of two bits with p and q ones among n codes, and r codes with both: (n r - p q) / (deviations).
      const deviations = Math.sqrt(ones[a] * (rows - ones[a])) * Math.sqrt(ones[b] * (rows - ones[b]));
      if (deviations === 0) continue;
      let both = 0;
      for (let word = 0; word < words; word++)
        both += onesOfWord(planes[a * words + word] & planes[b * words + word]);
      const correlation = Math.abs(rows * both - ones[a] * ones[b]) / deviations;
      sum += correlation;
      largest = Math.max(largest, correlation);
    }
  const living = bits - dead;
  const pairs = (living * (living - 1)) / 2;

  const distinct = new Set<string>();
  const buffer = Buffer.from(codes.buffer, codes.byteOffset, codes.length);
  for (let row = 0; row < rows; row++)
    distinct.add(buffer.toString("latin1", row * bytes, (row + 1) * bytes));
  return {
    balance: { mean: rounded(off / bits), worst: rounded(worst) },
    dead,
    correlation: { mean: rounded(pairs ? sum / pairs : 0), largest: rounded(largest) },
    distinct: distinct.size,
    bytes,
  };
}
