/** Images given by a person: one file, or a folder of them. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../runner/stage.ts";
import { decode, ENDINGS, type Shape } from "../stages/shared/download/decode.ts";
import { list } from "../stages/shared/folder/folder.ts";
import { sorted } from "../stages/shared/folder/walk.ts";
import { shown } from "../stages/shared/text.ts";
import { isHeic } from "./heic.ts";

/** An image of a folder. */
export interface Listed {
  /** From the folder, with "/". */
  name: string;
  /** By its folders; "" where they name none. */
  class: string;
}

/**
 * Lists the images of a folder by the rule of {@link list}, in the order of their names, and reports the files that it
 * skips.
 * @param isExcluded see {@link list}; where it is given, a folder without images is no error
 * @throws UserError when there are none
 */
export function photosIn(folder: string, isExcluded?: (path: string) => boolean): Listed[] {
  const { entries, loose, remarks } = list(folder, isExcluded);
  const classes = new Map<string, string>(loose.map((file) => [file, ""]));
  const known = new Map<string, string>(); // one text for a class, not one for each of its images
  for (const { path, class: name } of entries) {
    if (!known.has(name)) known.set(name, name);
    classes.set(path, known.get(name)!);
  }
  if (classes.size === 0 && !isExcluded)
    throw new UserError(
      `${shown(folder)}: no images (${ENDINGS.join(", ")}) are in it.${remarks.map((remark) => ` ${remark}`).join("")}`,
    );
  for (const remark of remarks) console.error(`! ${shown(folder)}: ${remark}`);
  return sorted([...classes.keys()]).map((name) => ({ name, class: classes.get(name)! }));
}

/** A file, or the images of a folder, see {@link photosIn}. @throws UserError when nothing is there */
export function imageFiles(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new UserError(`${shown(path)}: no such file or folder.`);
  return stats.isDirectory() ? photosIn(path).map(({ name }) => join(path, name)) : [path];
}

function isEmpty(path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size === 0;
  } catch {
    return false;
  }
}

/** An image's pixels, see {@link decode}. @param name what an error calls it @throws UserError when it is unreadable */
export async function readImage(path: string, shape: Shape, name = path): Promise<Uint8Array> {
  try {
    return await decode(path, shape);
  } catch (error) {
    const reason = isEmpty(path)
      ? "the file is empty"
      : (await isHeic(path))
        ? "it is a HEIC photograph, which cannot be decoded here: convert it to JPEG with heif-convert"
        : (error as Error).message;
    throw new UserError(shown(`${name}: unreadable image (${reason}).`));
  }
}
