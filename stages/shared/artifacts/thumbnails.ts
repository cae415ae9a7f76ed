/** The artifact `thumbnails`: small pictures of images on one sheet, in a folder; the folder is empty without images. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SHEET = "sheet.webp";
const ABOUT = "sheet.json";

/** How the sheet is laid out: thumbnail i is in row ⌊i / columns⌋, column i mod columns. */
export interface Sheet {
  /** Of a thumbnail, in pixels. */
  side: number;
  columns: number;
  count: number;
}

/** Writes `thumbnails`. @param webp the sheet */
export function writeSheet(folder: string, webp: Uint8Array, about: Sheet): void {
  writeFileSync(join(folder, SHEET), webp);
  writeFileSync(join(folder, ABOUT), `${JSON.stringify(about)}\n`);
}

/** Reads `thumbnails`; undefined where the folder is empty. */
export function readSheet(folder: string): (Sheet & { webp: Buffer }) | undefined {
  const file = join(folder, ABOUT);
  if (!existsSync(file)) return undefined;
  return { ...(JSON.parse(readFileSync(file, "utf8")) as Sheet), webp: readFileSync(join(folder, SHEET)) };
}
