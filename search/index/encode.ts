/** A person's images, read and encoded batch by batch. */
import { constants, copyFileSync, cpSync, statSync } from "node:fs";
import { join } from "node:path";
import { hashFile } from "../../runner/files/index.ts";
import { UserError } from "../../runner/stage.ts";
import { contentOf, FILES, type IndexFiles, type Recipe } from "../../stages/shared/search-index.ts";
import { shown } from "../../stages/shared/text.ts";
import { BATCH } from "../encoder.ts";
import { readImage } from "../photos.ts";
import { Progress } from "../progress.ts";
import type { Photo } from "./roots.ts";

/** A file that changed this short a time ago may change again with the same time: some disks count in 2 s. */
const RECENT_MILLISECONDS = 2000;

/** The file of an image when it was encoded. */
export interface Stamp {
  bytes: number;
  /** When it was changed last, in milliseconds; 0 where that was too recent to tell a later change. */
  modified: number;
  sha256: string;
}

/** Size and time of a file, by which an unchanged one is known without reading it. */
export function sizeAndTime(path: string): Pick<Stamp, "bytes" | "modified"> {
  const { size, mtimeMs, ctimeMs } = statSync(path);
  const isRecent = Date.now() - Math.max(mtimeMs, ctimeMs) < RECENT_MILLISECONDS;
  return { bytes: size, modified: isRecent ? 0 : mtimeMs };
}

/** Reads a file for its stamp. @throws UserError when it cannot be read */
export function stampOf(path: string): Stamp {
  try {
    return { ...sizeAndTime(path), sha256: hashFile(path) };
  } catch (error) {
    throw new UserError(shown(`${path}: unreadable (${(error as Error).message}).`));
  }
}

/** Copies what encodes the images of an index to the data of another. */
export async function copyEncoder(own: IndexFiles, recipe: Recipe, data: string): Promise<void> {
  for (const name of [FILES.backbone, FILES.projection])
    copyFileSync(await own.path(name), join(data, name), constants.COPYFILE_FICLONE);
  if (recipe.head) cpSync(await own.head(), join(data, FILES.head), { recursive: true });
}

/** A batch of images → values, whose rows are kept. */
export type Visit = (pixels: Uint8Array, count: number) => Promise<Float32Array>;

/** The images that could be read, in order. */
export interface Encoded {
  read: { photo: Photo; stamp: Stamp; content: Uint8Array }[];
  /** `[images, dim]` */
  values: Float32Array;
}

/** An image's stamp and pixels. @throws UserError when it is unreadable, or changed meanwhile */
async function readPhoto({ path }: Photo, image: Recipe["image"]) {
  const stamp = stampOf(path);
  const pixels = await readImage(path, image);
  const { size, mtimeMs } = statSync(path);
  if (size !== stamp.bytes || (stamp.modified !== 0 && mtimeMs !== stamp.modified))
    throw new UserError(shown(`${path}: it changed while it was read.`));
  return { stamp, pixels };
}

/** Encodes images. Unreadable ones are left out and said. */
export async function encodePhotos(photos: Photo[], image: Recipe["image"], visit: Visit): Promise<Encoded> {
  const bytes = image.height * image.width * image.channels;
  const read: Encoded["read"] = [];
  const values: Float32Array[] = [];
  const progress = new Progress(photos.length, "images");
  for (let first = 0; first < photos.length; first += BATCH) {
    const group = photos.slice(first, first + BATCH);
    const images = await Promise.allSettled(group.map((photo) => readPhoto(photo, image)));
    const pixels = new Uint8Array(BATCH * bytes);
    let count = 0;
    for (const [i, one] of images.entries())
      if (one.status === "fulfilled") {
        pixels.set(one.value.pixels, bytes * count++);
        read.push({ photo: group[i], stamp: one.value.stamp, content: contentOf(one.value.pixels) });
      } else {
        progress.end();
        console.error(`! ${one.reason.message} It is left out.`);
      }
    if (count > 0) values.push((await visit(pixels.subarray(0, count * bytes), count)).slice());
    progress.advance(group.length);
  }
  progress.end();
  return { read, values: concatenated(values) };
}

const concatenated = (parts: Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
