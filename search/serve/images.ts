/** Pictures of the images of an index: copies in WebP, without what a camera noted beside them. */
import pLimit from "p-limit";
import sharp, { type Raw, type Sharp } from "sharp";
import { photoBelow } from "../pictures.ts";
import type { Opened } from "./live.ts";
import { Refusal } from "./refusal.ts";

/** Longest side in pixels. */
const SIDES = { small: 320, large: 1600 };
export type Size = keyof typeof SIDES;

/** Pictures that are made at the same time. */
const AT_ONCE = 2;
/** Seconds that a picture may take. */
const TIMEOUT = 10;

const limit = pLimit(AT_ONCE);

/** Where the pixels of a row are. @throws Refusal when they cannot be had */
async function sourceOf({ index, table }: Opened, row: number): Promise<Sharp> {
  if (table) {
    const pixels = await table.at(row);
    if (!pixels) throw new Refusal(404, "The table of images has no such row.");
    return sharp(pixels, { raw: table.shape as Raw });
  }
  const { recipe, roots, names } = index;
  const photo = photoBelow(recipe.roots![roots![row]].path, names!.at(row));
  if ("missing" in photo) throw new Refusal(404, `The image is ${photo.missing}.`);
  return sharp(photo.path, { failOn: "error" }).autoOrient();
}

/** A picture of a row as WebP. @throws Refusal when there is none */
export function pictureOf(opened: Opened, row: number, size: Size): Promise<Buffer> {
  return limit(async () => {
    const image = await sourceOf(opened, row);
    const side = SIDES[size];
    return image
      .resize(side, side, { fit: "inside", withoutEnlargement: true })
      .webp({ quality: size === "small" ? 78 : 85 })
      .timeout({ seconds: TIMEOUT })
      .toBuffer()
      .catch(() => {
        throw new Refusal(404, "The image is unreadable.");
      });
  });
}
