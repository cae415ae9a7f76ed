/** Thumbnails of all images of an index, one file each. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pLimit from "p-limit";
import sharp, { type Raw, type Sharp } from "sharp";
import { FILES } from "../../stages/shared/search-index.ts";
import type { Index } from "../opened.ts";
import { photoBelow } from "../pictures.ts";
import { PixelTable } from "../pixels.ts";
import { thumbnailOf } from "./format.ts";

/** Longest side in pixels. */
const SIDE = 256;
const QUALITY = 75;
/** Images that are made smaller at the same time. */
const AT_ONCE = 4;

/** The image of a row; undefined where its file is gone, or no image below the index's folders. */
async function sourceOf(
  index: Index,
  table: PixelTable | undefined,
  row: number,
): Promise<Sharp | undefined> {
  if (table) {
    const pixels = await table.at(row);
    return pixels && sharp(pixels, { raw: table.shape as Raw });
  }
  const { recipe, roots, names } = index;
  const photo = photoBelow(recipe.roots![roots![row]].path, names!.at(row));
  return "path" in photo ? sharp(photo.path, { failOn: "error" }).autoOrient() : undefined;
}

/** Writes them. @returns how many could not be had */
export async function writeThumbnails(folder: string, index: Index): Promise<number> {
  const { recipe, files, codes } = index;
  const table =
    recipe.roots === undefined ? await PixelTable.open(await files.path(FILES.pixels)) : undefined;
  const limit = pLimit(AT_ONCE);
  let missing = 0;
  let failed = false;
  try {
    const tasks = Array.from({ length: codes.rows }, (_, row) =>
      limit(async () => {
        if (failed) return; // those that wait would make the folder again, which is removed then
        try {
          const path = join(folder, thumbnailOf(row));
          mkdirSync(dirname(path), { recursive: true });
          const source = await sourceOf(index, table, row);
          const webp = await source
            ?.resize(SIDE, SIDE, { fit: "inside", withoutEnlargement: true })
            .webp({ quality: QUALITY })
            .toBuffer()
            .catch(() => undefined);
          if (webp) writeFileSync(path, webp);
          else missing++;
        } catch (error) {
          failed = true;
          throw error;
        }
      }),
    );
    const ended = await Promise.allSettled(tasks);
    const fault = ended.find((one) => one.status === "rejected");
    if (fault) throw fault.reason;
  } finally {
    await table?.close();
  }
  return missing;
}
