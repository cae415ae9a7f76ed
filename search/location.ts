/** Where an index lies. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FILES } from "../stages/shared/searchable.ts";

/** Below the folder that a pipeline publishes to, where its stage `index` puts the index. */
const PUBLISHED = "index";

/** Where the index of a folder lies: there, or where a pipeline has published it. */
export function indexIn(folder: string): string {
  const published = join(folder, PUBLISHED);
  return !existsSync(join(folder, FILES.recipe)) && existsSync(join(published, FILES.recipe))
    ? published
    : folder;
}
