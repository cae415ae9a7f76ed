/** Images given by a person: one file, or a folder of them. */
import { readdirSync, statSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { UserError } from "../runner/stage.ts";
import { decode, ENDINGS, type Shape } from "../stages/shared/decode.ts";

/** The image files that a path names, a folder's in the order of their names. @throws UserError when there are none */
export function imageFiles(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new UserError(`${path}: no such file or folder.`);
  if (!stats.isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((file) => ENDINGS.includes(extname(file).toLowerCase()))
    .map((file) => join(path, file))
    .sort();
  if (files.length === 0) throw new UserError(`${path}: no images (${ENDINGS.join(", ")}) are in it.`);
  return files;
}

/** An image's pixels, see {@link decode}. @throws UserError when it is unreadable */
export async function readImage(path: string, shape: Shape): Promise<Uint8Array> {
  try {
    return await decode(path, shape);
  } catch (error) {
    throw new UserError(`${path}: unreadable image (${(error as Error).message.split("\n")[0]}).`);
  }
}

/** The class of a file: the folder below the root that it lies in, or "" right below it. */
export function classOf(root: string, file: string): string {
  const parts = relative(root, file).split(/[\\/]/);
  return parts.length > 1 ? parts[0] : "";
}
