/** An index that is read and checked: what all searches in it share. */

import { readFileSync } from "node:fs";
import { isAbsolute, join, normalize } from "node:path";
import { UserError } from "../runner/stage.ts";
import { type Codes, readCodes } from "../stages/shared/artifacts/codes.ts";
import { readOutputs } from "../stages/shared/artifacts/outputs.ts";
import { readJson } from "../stages/shared/artifacts/schema.ts";
import { CONTENT_BYTES, FILES, IndexFiles, type Recipe, readRecipe } from "../stages/shared/search-index.ts";

export interface Index {
  /** Its folder. */
  folder: string;
  recipe: Recipe;
  files: IndexFiles;
  codes: Codes;
  /** `[rows, bits]`, see {@link readOutputs} */
  outputs: Float32Array;
  /** `[rows, CONTENT_BYTES]`, see {@link contentOf} */
  contents: Uint8Array;
  /** Of files, below the recipe's root; of a table, as it calls its images. */
  names?: string[];
}

const AGAIN = "Make the index again.";

/** Reads a file of the index. @throws UserError when it cannot be read, whatever its header promises */
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

async function namesOf(files: IndexFiles, recipe: Recipe, rows: number): Promise<string[] | undefined> {
  if (!files.has(FILES.names)) return undefined;
  const path = await files.path(FILES.names);
  const names = await whole(path, () => readJson<string[]>(path, "index-names"));
  if (names.length !== rows)
    throw new UserError(`${path}: ${names.length} names, but the index has ${rows} images. ${AGAIN}`);
  const leaves = recipe.root === undefined ? undefined : names.find((name) => !staysBelow(name));
  if (leaves !== undefined)
    throw new UserError(
      `${path}: ${JSON.stringify(leaves)} is not below the folder of the images. Do not use this index: a path may only name an image below ${recipe.root}.`,
    );
  return names;
}

/**
 * Opens an index.
 * @throws UserError when it is none, or a file of it is missing, is not the one it was made with, or does not fit the others
 */
export async function openIndex(folder: string): Promise<Index> {
  const recipe = readRecipe(folder);
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
  return { folder, recipe, files, codes, outputs, contents, names };
}
