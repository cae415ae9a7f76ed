/** Counting the ones of numbers. */

/** The ones of each byte, `[256]`. */
export const onesOfByte = new Uint8Array(256);
for (let byte = 1; byte < 256; byte++) onesOfByte[byte] = onesOfByte[byte >> 1] + (byte & 1);

/** The ones of a number's 32 bits: added up in pairs, fours and bytes, side by side (Warren 2002, figure 5-2). */
export function onesOfWord(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  return Math.imul(x, 0x01010101) >>> 24;
}
