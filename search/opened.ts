/** An index that is read and checked: what all searches in it share. */

import { readFileSync } from "node:fs";
import { isAbsolute, join, normalize } from "node:path";
import { UserError } from "../runner/stage.ts";
import { numbers, readTable } from "../stages/shared/artifacts/arrow.ts";
import { type Codes, readCodes } from "../stages/shared/artifacts/codes.ts";
import { readOutputs } from "../stages/shared/artifacts/outputs.ts";
import { readJson } from "../stages/shared/artifacts/schema.ts";
import { CONTENT_BYTES, FILES, IndexFiles, type Recipe, readRecipe } from "../stages/shared/search-index.ts";
import { Names } from "./names.ts";

export interface Index {
  /** Its folder. */
  folder: string;
  recipe: Recipe;
  files: IndexFiles;
  codes: Codes;
  /** `[rows, bits]` float16, see {@link readOutputs} */
  outputs: Uint16Array;
  /** `[rows, CONTENT_BYTES]`, see {@link contentOf} */
  contents: Uint8Array;
  /** Of files, below their root; of a table, as it calls its images. */
  names?: Names;
  /** Of files: the place of each one's root in the recipe. */
  roots?: Uint16Array;
}

const AGAIN = "Make the index again.";

/** Reads a file of the index. @throws UserError when it cannot be read, also with a wrong header */
async function whole<T>(path: string, read: (path: string) => T): Promise<T> {
  try {
    return read(path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: unreadable (${(error as Error).message.split("\n")[0]}). ${AGAIN}`);
  }
}

/** Whether a name of files.json stays below the folder that it starts at. */
const staysBelow = (name: string): boolean =>
  !isAbsolute(name) && !name.includes("\0") && !/^\.\.?([\\/]|$)/.test(normalize(name));

async function namesOf(files: IndexFiles, recipe: Recipe, rows: number): Promise<Names | undefined> {
  if (!files.has(FILES.names)) return undefined;
  const path = await files.path(FILES.names);
  const names = await whole(path, () => readJson<string[]>(path, "index-names"));
  if (names.length !== rows)
    throw new UserError(`${path}: ${names.length} names, but the index has ${rows} images. ${AGAIN}`);
  const leaves = recipe.roots === undefined ? undefined : names.find((name) => !staysBelow(name));
  if (leaves !== undefined)
    throw new UserError(
      `${path}: ${JSON.stringify(leaves)} is not below the folder of the images. Do not use this index: a path may only name an image below ${recipe.roots![0].path}.`,
    );
  return new Names(names);
}

/** The place of each image's root. @throws UserError when there are too many or too few, or one is of no root */
function readRoots(path: string, rows: number, count: number): Uint16Array {
  const roots = numbers<Uint16Array>(readTable(path, "index-photos"), "root");
  if (roots.length !== rows || roots.some((root) => root >= count))
    throw new UserError(
      `${path}: ${roots.length} files in ${count} folders do not fit the ${rows} images of the index. Make the index again.`,
    );
  return roots;
}

/**
 * Reads an index.
 * @throws UserError when it is none, or a file of it is missing, is not the one it was made with, or does not fit the others
 */
async function readIndex(folder: string, recipe: Recipe): Promise<Index> {
  const files = new IndexFiles(folder, recipe);
  const codes = await whole(await files.path(FILES.codes), readCodes);
  const { rows, bits, classes } = codes;
  if (rows !== recipe.images || bits !== recipe.bits || String(classes) !== String(recipe.classes))
    throw new UserError(
      `${join(folder, FILES.recipe)}: it tells of ${recipe.images} images, ${recipe.bits} bits and ${recipe.classes.length} classes; the codes are of ${rows}, ${bits} and ${classes.length}, or of other classes. ${AGAIN}`,
    );
  const outputs = await whole(await files.path(FILES.outputs), (path) => readOutputs(path, codes));
  const contents = await whole(await files.path(FILES.contents), (path) => readFileSync(path));
  if (contents.length !== rows * CONTENT_BYTES)
    throw new UserError(
      `${folder}: ${FILES.contents} is of another number of images than the codes. ${AGAIN}`,
    );
  const names = await namesOf(files, recipe, rows);
  if (!recipe.roots) return { folder, recipe, files, codes, outputs, contents, names };
  const places = await files.path(FILES.photos);
  const roots = await whole(places, () => readRoots(places, rows, recipe.roots!.length));
  return { folder, recipe, files, codes, outputs, contents, names, roots };
}

/** The file of an image; undefined where the index is of a table. */
export function fileOf({ recipe, names, roots }: Index, row: number): string | undefined {
  return recipe.roots && join(recipe.roots[roots![row]].path, names!.at(row));
}

/** Times that an index may be replaced while it is opened. */
const ATTEMPTS = 5;

/**
 * Opens an index, and what else is read of its files. An index that is replaced meanwhile, by `index update` for one, is
 * opened again.
 * @throws UserError as {@link readIndex} does
 */
export async function openWith<T>(folder: string, more: (index: Index) => Promise<T>): Promise<[Index, T]> {
  for (let attempt = 1; ; attempt++) {
    const recipe = readRecipe(folder);
    try {
      const index = await readIndex(folder, recipe);
      return [index, await more(index)];
    } catch (error) {
      if (attempt === ATTEMPTS || readRecipe(folder).files === recipe.files) throw error;
    }
  }
}

/** Opens an index, see {@link openWith}. */
export async function openIndex(folder: string): Promise<Index> {
  return (await openWith(folder, async () => undefined))[0];
}
