/** Small copies of images for a page: of files, or of the rows of an index's table of images. */
import { realpathSync } from "node:fs";
import { extname, join, sep } from "node:path";
import sharp, { type Raw, type Sharp } from "sharp";
import { ENDINGS } from "../stages/shared/download/decode.ts";
import { FILES } from "../stages/shared/search-index.ts";
import type { Index } from "./opened.ts";
import { PixelTable } from "./pixels.ts";

/** Side of an image on the page, in pixels. */
export const SIDE = 120;

/** A small copy as a data URI, or why there is none. */
export type Picture = { uri: string } | { missing: string };

async function shrunk(image: Sharp): Promise<Picture> {
  const webp = await image.resize(SIDE, SIDE, { fit: "cover" }).webp({ quality: 80 }).toBuffer();
  return { uri: `data:image/webp;base64,${webp.toString("base64")}` };
}

/** A picture of a file that a person named. */
export async function pictureOf(path: string): Promise<Picture> {
  try {
    return await shrunk(sharp(path, { failOn: "error" }).autoOrient());
  } catch (error) {
    const { message } = error as Error;
    return { missing: /missing/.test(message) ? "moved or deleted since" : "unreadable" };
  }
}

/**
 * The path of a file that an index names: only of an image, and only if its real path is below the root. An index from
 * elsewhere could name any file of this machine, or a link to it.
 */
export function photoBelow(root: string, name: string): { path: string } | { missing: string } {
  let path: string;
  try {
    path = realpathSync(join(root, name));
    if (!path.startsWith(`${realpathSync(root)}${sep}`)) return { missing: "not below the images' folder" };
  } catch {
    return { missing: "moved or deleted since" };
  }
  return ENDINGS.includes(extname(path).toLowerCase()) ? { path } : { missing: "no image" };
}

/** Pictures of the rows of a table of images. */
async function picturesOfTable(path: string, rows: Set<number>): Promise<Map<number, Picture>> {
  const table = await PixelTable.open(path);
  try {
    const pictures = new Map<number, Picture>();
    for (const row of rows) {
      const pixels = await table.at(row);
      if (pixels) pictures.set(row, await shrunk(sharp(pixels, { raw: table.shape as Raw })));
    }
    return pictures;
  } finally {
    await table.close();
  }
}

/** Pictures of images of an index, by their rows. A picture that cannot be had says why. */
export async function picturesOf(index: Index, rows: Set<number>): Promise<Map<number, Picture>> {
  const { recipe, names, roots, files } = index;
  if (recipe.roots === undefined) return picturesOfTable(await files.path(FILES.pixels), rows);
  const pictures = new Map<number, Picture>();
  for (const row of rows) {
    const photo = photoBelow(recipe.roots[roots![row]].path, names!.at(row));
    pictures.set(row, "path" in photo ? await pictureOf(photo.path) : photo);
  }
  return pictures;
}
