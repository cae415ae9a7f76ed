/** Where an index lies. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { givenSource } from "../runner/files/index.ts";
import { FILES } from "../stages/shared/search-index.ts";

/** Below the folder that a pipeline publishes to, where its stage `index` puts the index. */
export const PUBLISHED = "index";

/**
 * A named index: below the folder where the person stands, or else below the project's, as this tool itself names it.
 * @param from the folder that paths start at
 */
export const namedIndex = (name: string, root: string, from: string): string =>
  indexIn(givenSource(name, root, from));

/** Where the index of a folder lies: there, or where a pipeline has published it. */
export function indexIn(folder: string): string {
  const published = join(folder, PUBLISHED);
  return !existsSync(join(folder, FILES.recipe)) && existsSync(join(published, FILES.recipe))
    ? published
    : folder;
}
