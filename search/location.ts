/** The path of an index. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { givenSource } from "../runner/files/index.ts";
import { UserError } from "../runner/stage.ts";
import { nearest } from "../runner/text/index.ts";
import { FILES } from "../stages/shared/search-index.ts";

/** Below the folder that a pipeline publishes to, where its stage `index` puts the index. */
export const PUBLISHED = "index";

/**
 * A named index: below the person's current folder, or else below the project's, as this tool itself names it.
 * @param from the folder that paths start at
 * @throws UserError with the nearest name, where the folder is missing and another index has nearly its name
 */
export function namedIndex(name: string, root: string, from: string): string {
  const folder = givenSource(name, root, from);
  if (!existsSync(folder)) {
    const [beside, usual] = [dirname(folder), join(root, "indexes")];
    const near = nearest(basename(folder), indexesIn(beside));
    const other = nearest(basename(folder), indexesIn(usual));
    const meant = near ? join(dirname(name), near) : other && join("indexes", other);
    if (meant) throw new UserError(`${name}: no such index. Did you mean "${meant}"?`);
  }
  return indexIn(folder);
}

/** The names of a folder's indexes. */
const indexesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(indexIn(join(folder, name)), FILES.recipe)))
    : [];

/** The path of the index of a folder: there, or where a pipeline has published it. */
export function indexIn(folder: string): string {
  const published = join(folder, PUBLISHED);
  return !existsSync(join(folder, FILES.recipe)) && existsSync(join(published, FILES.recipe))
    ? published
    : folder;
}

/** The index that is meant. @throws UserError when it is not clear which */
export function indexFolder(given: string | undefined, root: string, from: string): string {
  if (given !== undefined) return namedIndex(given, root, from);
  const indexes = join(root, "indexes");
  const names = indexesIn(indexes);
  if (names.length === 1) return indexIn(join(indexes, names[0]));
  throw new UserError(
    names.length === 0
      ? "search: there is no index yet in indexes/. Make one: npm run index -- FOLDER"
      : `search: name one of the indexes: --index ${names.map((name) => `indexes/${name}`).join(" or --index ")}`,
  );
}
