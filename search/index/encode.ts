/** A person's images, read and encoded batch by batch. */
import { constants, copyFileSync, cpSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../runner/stage.ts";
import {
  contentOf,
  FILES,
  type IndexFiles,
  type Recipe,
  type Root,
} from "../../stages/shared/search-index.ts";
import { shown } from "../../stages/shared/text.ts";
import { BATCH } from "../encoder.ts";
import { readImage } from "../photos.ts";
import { Progress } from "../progress.ts";
import { type Photo, pathOf } from "./roots.ts";
import type { Rows } from "./rows.ts";
import { stampOf } from "./stamp.ts";

/** Copies what encodes the images of an index to the data of another. */
export async function copyEncoder(own: IndexFiles, recipe: Recipe, data: string): Promise<void> {
  for (const name of [FILES.backbone, FILES.projection])
    copyFileSync(await own.path(name), join(data, name), constants.COPYFILE_FICLONE);
  if (recipe.head) cpSync(await own.head(), join(data, FILES.head), { recursive: true });
}

/** A batch of images → codes. */
export type Visit = (pixels: Uint8Array, count: number) => Promise<void>;

/** An image's stamp and pixels. @throws UserError when it is unreadable, or changed meanwhile */
async function readPhoto(path: string, image: Recipe["image"]) {
  const stamp = stampOf(path);
  const pixels = await readImage(path, image);
  const { size, mtimeMs } = statSync(path);
  if (size !== stamp.bytes || (stamp.modified !== 0 && mtimeMs !== stamp.modified))
    throw new UserError(shown(`${path}: it changed while it was read.`));
  return { stamp, pixels };
}

/**
 * Reads images, and has them encoded batch by batch. Unreadable ones are left out and said.
 * @param read takes those that could be read, in order; @param visit encodes those that came since its last call
 */
export async function encodePhotos(
  photos: Photo[],
  roots: Root[],
  image: Recipe["image"],
  read: Pick<Rows, "add">,
  visit: Visit,
): Promise<void> {
  const bytes = image.height * image.width * image.channels;
  const progress = new Progress(photos.length, "images");
  for (let first = 0; first < photos.length; first += BATCH) {
    const group = photos.slice(first, first + BATCH);
    const images = await Promise.allSettled(group.map((photo) => readPhoto(pathOf(roots, photo), image)));
    const pixels = new Uint8Array(BATCH * bytes);
    let count = 0;
    for (const [i, one] of images.entries())
      if (one.status === "fulfilled") {
        pixels.set(one.value.pixels, bytes * count++);
        read.add(group[i], one.value.stamp, contentOf(one.value.pixels));
      } else {
        progress.end();
        console.error(`! ${one.reason.message} It is left out.`);
      }
    if (count > 0) await visit(pixels.subarray(0, count * bytes), count);
    progress.advance(group.length);
  }
  progress.end();
}
