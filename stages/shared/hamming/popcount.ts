/** Counting the ones of numbers. */

/** The ones of each byte, `[256]`. */
export const onesOfByte = new Uint8Array(256);
for (let byte = 1; byte < 256; byte++) onesOfByte[byte] = onesOfByte[byte >> 1] + (byte & 1);
