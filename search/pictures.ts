/** Small copies of images for a page: of files, or of the rows of an index's table of images. */
import { realpathSync } from "node:fs";
import { extname, join, sep } from "node:path";
import type { FixedSizeBinary } from "apache-arrow";
import sharp, { type Raw, type Sharp } from "sharp";
import { readBatches, readMetadata } from "../stages/shared/artifacts/arrow.ts";
import { ENDINGS } from "../stages/shared/download/decode.ts";
import { FILES } from "../stages/shared/search-index.ts";
import type { Index } from "./opened.ts";

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
 * A picture of a file that an index names: only of an image, and only if its real path is below the root. An index
 * from elsewhere could name any file of this machine, or a link to it.
 */
async function pictureBelow(root: string, name: string): Promise<Picture> {
  let path: string;
  try {
    path = realpathSync(join(root, name));
    if (!path.startsWith(`${realpathSync(root)}${sep}`)) return { missing: "not below the images' folder" };
  } catch {
    return { missing: "moved or deleted since" };
  }
  return ENDINGS.includes(extname(path).toLowerCase()) ? pictureOf(path) : { missing: "no image" };
}

/** Pictures of the rows of a table of images, which may be larger than the memory. */
async function picturesOfTable(path: string, rows: Set<number>): Promise<Map<number, Picture>> {
  const pictures = new Map<number, Picture>();
  let first = 0;
  for await (const batch of readBatches(path, "images")) {
    const { width, height, channels } = readMetadata(batch) as unknown as Raw;
    const column = batch.getChild("pixels")!;
    if ((column.type as FixedSizeBinary).byteWidth === width * height * channels)
      for (let row = 0; row < batch.numRows; row++)
        if (rows.has(first + row))
          pictures.set(
            first + row,
            await shrunk(sharp(column.get(row), { raw: { width, height, channels } })),
          );
    first += batch.numRows;
  }
  return pictures;
}

/** Pictures of images of an index, by their rows. A picture that cannot be had says why. */
export async function picturesOf(index: Index, rows: Set<number>): Promise<Map<number, Picture>> {
  const { recipe, names, roots, files } = index;
  if (recipe.roots === undefined) return picturesOfTable(await files.path(FILES.pixels), rows);
  const pictures = new Map<number, Picture>();
  for (const row of rows) pictures.set(row, await pictureBelow(recipe.roots[roots![row]].path, names![row]));
  return pictures;
}
