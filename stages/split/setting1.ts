/** The draw that P1 and P1b share: few training images, queries from all, everything else to be searched. */

import type { Roles } from "../shared/artifacts/split.ts";
import type { Random } from "../shared/compute/random.ts";
import { drawByClass, type Images, noRoles } from "./protocol.ts";

export const setting1Params = {
  queries: {
    type: "integer",
    minimum: 1,
    default: 1000,
    description: "queries in all, the same number of each class",
  },
  train: {
    type: "integer",
    minimum: 1,
    default: 5000,
    description: "training images in all, the same number of each class",
  },
};

/** Queries and training images from all images of the set; validation from the rest of the database. */
export function drawSetting1(
  images: Images,
  validation: number,
  random: Random,
  params: Record<string, unknown>,
  trainIsSearched: boolean,
): Roles {
  const roles = noRoles(images.labels.length);
  const queries = drawByClass(images, () => true, params.queries as number, random, "query");
  for (const row of queries.drawn) roles.query[row] = 1;
  const train = drawByClass(images, (row) => !roles.query[row], params.train as number, random, "training");
  for (const row of train.drawn) roles.train[row] = 1;
  const rest = (row: number) => !roles.query[row] && !roles.train[row];
  for (const row of drawByClass(images, rest, validation, random, "validation").drawn)
    roles.validation[row] = 1;
  for (let row = 0; row < images.labels.length; row++)
    roles.database[row] = roles.query[row] || (roles.train[row] && !trainIsSearched) ? 0 : 1;
  return roles;
}
