/** HEIC photographs under another ending: phones and messengers call them .jpg. */
import { statSync } from "node:fs";
import { open } from "node:fs/promises";

/** Bytes that hold the brands of a file. */
const HEAD = 64;
/** `ftyp`, then a brand of HEVC; or a general one, with one of HEVC behind it (ISO/IEC 23008-12, annex B). */
const BRANDS = /^.{4}ftyp(he[iv][cxms]|m[is]f1.*he[iv][cxms])/s;

/** Whether a file begins as a HEIC photograph does; false for a file that cannot be read. */
export async function isHeic(path: string): Promise<boolean> {
  try {
    if (!statSync(path).isFile()) return false; // a pipe would wait for its writer
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
      return BRANDS.test(buffer.toString("latin1", 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
