/** Images given by a person: one file, or a folder of them. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../runner/stage.ts";
import { decode, ENDINGS, type Shape } from "../stages/shared/download/decode.ts";
import { list } from "../stages/shared/folder/folder.ts";
import { sorted } from "../stages/shared/folder/walk.ts";
import { shown } from "../stages/shared/text.ts";

/** The image files that a path names, in the order of their names. */
export interface Photos {
  files: string[];
  /** The class of one of them, by its folders; "" where they name none. */
  classOf(file: string): string;
}

/**
 * Lists a person's images by the rule of {@link list}, and reports the files that it skips.
 * @param isExcluded see {@link list}; where it is given, a folder without images is no error
 * @throws UserError when there are none
 */
export function photosIn(path: string, isExcluded?: (path: string) => boolean): Photos {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new UserError(`${shown(path)}: no such file or folder.`);
  if (!stats.isDirectory()) return { files: [path], classOf: () => "" };
  const { entries, loose, remarks } = list(path, isExcluded);
  const classes = new Map([
    ...loose.map((file): [string, string] => [file, ""]),
    ...entries.map((entry): [string, string] => [entry.path, entry.class]),
  ]);
  if (classes.size === 0 && !isExcluded)
    throw new UserError(
      `${shown(path)}: no images (${ENDINGS.join(", ")}) are in it.${remarks.map((remark) => ` ${remark}`).join("")}`,
    );
  for (const remark of remarks) console.error(`! ${shown(path)}: ${remark}`);
  const files = sorted([...classes.keys()]);
  const byFile = new Map(files.map((file) => [join(path, file), classes.get(file)!]));
  return { files: [...byFile.keys()], classOf: (file) => byFile.get(file) ?? "" };
}

/** The files alone, see {@link photosIn}. */
export const imageFiles = (path: string): string[] => photosIn(path).files;

/** An image's pixels, see {@link decode}. @param name what an error calls it @throws UserError when it is unreadable */
export async function readImage(path: string, shape: Shape, name = path): Promise<Uint8Array> {
  try {
    return await decode(path, shape);
  } catch (error) {
    throw new UserError(shown(`${name}: unreadable image (${(error as Error).message}).`));
  }
}
